// SHA-256 against the examples published with FIPS 180-4.

import InferSupport
import Testing

struct SHA256Tests {
    private func digest(_ text: String) -> String {
        Array(text.utf8).withUnsafeBytes { SHA256.hexadecimal(of: $0) }
    }

    @Test func publishedExamples() {
        #expect(digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        #expect(
            digest(
                "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
                    + "nopqrstu") == "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1")
        #expect(
            digest(String(repeating: "a", count: 1_000_000))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test(arguments: [1, 7, 55, 56, 63, 64, 65, 119, 120, 128])
    func piecesOfAnySizeGiveTheSameDigest(size: Int) {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 3) }
        let whole = bytes.withUnsafeBytes { SHA256.hexadecimal(of: $0) }
        var digest = SHA256()
        for start in stride(from: 0, to: bytes.count, by: size) {
            bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { digest.append($0) }
            // Looking at the digest changes nothing.
            _ = digest.hexadecimal
        }
        #expect(digest.hexadecimal == whole)
    }

    @Test func textsThatAreDigests() {
        let digest = String(repeating: "0aF", count: 21) + "9"
        #expect(SHA256.isDigest(digest))
        for other in ["", "abc", digest + "0", String(digest.dropLast()) + "g", String(digest.dropLast()) + "٣"] {
            #expect(!SHA256.isDigest(other))
        }
    }
}
