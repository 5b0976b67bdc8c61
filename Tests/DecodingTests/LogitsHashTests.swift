// The fingerprint of logits notices every change.

import InferDecoding
import Testing

@Suite struct LogitsHashTests {
    private func hash(_ row: [Float]) -> UInt64 { row.withUnsafeBufferPointer { LogitsHash.hash($0) } }

    private func row(_ count: Int) -> [Float] { (0..<count).map { Float($0 * $0 % 101) / 7 - 5 } }

    @Test(arguments: [1, 2, 15, 16, 17, 31, 33, 100])
    func everyBitOfEveryValueCounts(count: Int) {
        let original = row(count)
        var seen: Set<UInt64> = [hash(original)]
        for index in 0..<count {
            for bit in 0..<32 {
                var changed = original
                changed[index] = Float(bitPattern: changed[index].bitPattern ^ 1 << bit)
                seen.insert(hash(changed))
            }
        }
        #expect(seen.count == 1 + 32 * count)
    }

    @Test func twoChangesDoNotCancel() {
        let original = row(64)
        var seen: Set<UInt64> = [hash(original)]
        var changes = 0
        for first in 0..<64 {
            for second in first + 1..<64 {
                var changed = original
                changed[first].negate()
                changed[second].negate()
                seen.insert(hash(changed))
                changes += 1
            }
        }
        #expect(seen.count == 1 + changes)
    }

    @Test func orderAndLengthCount() {
        #expect(hash([1, 2]) != hash([2, 1]))
        #expect(hash([1]) != hash([1, 0]))
        #expect(hash([]) != hash([0]))
        #expect(hash([0]) != hash([-0.0]))
        var long = row(200)
        let before = hash(long)
        long.swapAt(3, 3 + 16)
        #expect(hash(long) != before)
    }

    @Test func alignmentDoesNotCount() {
        let values = row(101)
        let shifted = [9] + values
        let there = shifted.withUnsafeBufferPointer { LogitsHash.hash(UnsafeBufferPointer(rebasing: $0[1...])) }
        #expect(there == hash(values))
    }

    @Test func rowsCombineInOrder() {
        func combined(_ rows: [[Float]]) -> UInt64 {
            var hash = LogitsHash()
            for row in rows { row.withUnsafeBufferPointer { hash.append($0) } }
            return hash.value
        }
        let a = row(40)
        let b = row(41)
        #expect(combined([a, b]) == combined([a, b]))
        let sequences = [[], [a], [b], [a, b], [b, a], [a + b]]
        #expect(Set(sequences.map(combined)).count == sequences.count)
    }

    @Test func definitionIsFixed() {
        // Values computed by a separate program from the definition in the documentation; a change of them would make
        // hashes of different versions incomparable.
        #expect(hash([]) == 0x3E3E_0017_B24A_91C2)
        #expect(hash([1]) == 0xD258_3311_ECB7_779F)
        #expect(hash((0..<37).map { Float($0) }) == 0x80CB_0225_8D1A_753E)
    }
}
