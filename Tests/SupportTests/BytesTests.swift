// Little-endian bytes, sizes that do not overflow, and the XXH64 checksum.

import InferSupport
import Testing

@Suite struct BytesTests {
    @Test func integersAreLittleEndianAndTextsHaveALength() {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(UInt32(0x0403_0201))
        bytes.appendLittleEndian(Int16(-2))
        #expect(bytes == [1, 2, 3, 4, 0xFE, 0xFF])
        bytes = []
        bytes.appendString("é")
        #expect(bytes == [2, 0, 0, 0, 0, 0, 0, 0, 0xC3, 0xA9])
    }

    @Test func sizesDoNotOverflow() {
        #expect(Int.product(3, 4, 5) == 60)
        #expect(Int.product(.max, 2) == .max)
        #expect(Int.product(1 << 40, 1 << 40, 0) == 0)
        #expect(Int.sum([1, 2, 3]) == 6)
        #expect(Int.sum([.max, 1]) == .max)
    }

    @Test(arguments: [(0, "0 MiB"), (1, "1 MiB"), (1 << 20, "1 MiB"), ((1 << 20) + 1, "2 MiB")])
    func mebibytesAreRoundedUp(bytes: Int, expected: String) { #expect(bytes.mebibytes == expected) }

    @Test(
        arguments: [
            ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
            ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
        ] as [(String, UInt64)])
    func checksumsHaveThePublishedValues(text: String, expected: UInt64) {
        #expect(XXHash64.hash(Array(text.utf8)) == expected)
    }
}
