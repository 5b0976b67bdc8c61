// A fixed-size set of small integers, a bit each.

/// A set of integers in 0..<count. Members may come from a damaged file: those outside never get into it.
final class BitSet {
    private let count: Int
    private let words: UnsafeMutablePointer<UInt64>
    private let wordCount: Int

    init(count: Int) {
        self.count = count
        wordCount = (count + 63) / 64
        words = .allocate(capacity: wordCount)
        words.initialize(repeating: 0, count: wordCount)
    }

    deinit { words.deallocate() }

    func insert(_ member: Int) {
        guard member >= 0, member < count else { return }
        words[member >> 6] |= 1 << UInt64(member & 63)
    }

    func contains(_ member: Int) -> Bool {
        member >= 0 && member < count && words[member >> 6] >> UInt64(member & 63) & 1 == 1
    }

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
