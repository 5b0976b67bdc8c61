// A fixed-size set of small integers, a bit each.

/// A set of integers in 0..<count, without bounds checks: for inner loops that compute their indices.
final class BitSet {
    private let words: UnsafeMutablePointer<UInt64>
    private let wordCount: Int

    init(count: Int) {
        wordCount = (count + 63) / 64
        words = .allocate(capacity: wordCount)
        words.initialize(repeating: 0, count: wordCount)
    }

    deinit { words.deallocate() }

    func insert(_ member: Int) { words[member >> 6] |= 1 << UInt64(member & 63) }

    func contains(_ member: Int) -> Bool { words[member >> 6] >> UInt64(member & 63) & 1 == 1 }

    /// Calls `body` with the members, the largest first.
    func forEachDescending(_ body: (Int) -> Void) {
        for index in stride(from: wordCount - 1, through: 0, by: -1) {
            var word = words[index]
            while word != 0 {
                let bit = 63 - word.leadingZeroBitCount
                body(index << 6 | bit)
                word ^= 1 << UInt64(bit)
            }
        }
    }
}
