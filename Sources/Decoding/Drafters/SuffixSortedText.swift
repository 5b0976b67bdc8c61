// Documents with sorted suffixes, to find all occurrences of a sequence of tokens.

/// A text store in memory: documents one after the other, and their positions in suffix order.
///
/// Suffixes are compared by their first ``sortedDepth`` tokens only. Those that agree so far are in the order of their positions.
struct SuffixSortedText: Sendable {
    /// The number of a suffix's first tokens by which it is sorted.
    static let sortedDepth = 32
    /// Separates documents. No token has this number.
    static let separator: Int32 = -1

    /// The documents' tokens, each document followed by a ``separator``.
    let tokens: [Int32]
    /// The positions of all tokens except separators, sorted by the suffixes that begin there.
    private let positions: [Int32]

    /// Sorts `documents`. Documents beyond 2³¹ − 1 tokens in total are left out.
    init(_ documents: [[Int32]]) {
        var tokens: [Int32] = []
        for document in documents where tokens.count + document.count < Int(Int32.max) {
            tokens += document.map { max($0, 0) }
            tokens.append(Self.separator)
        }
        self.tokens = tokens
        positions = Self.sorted(tokens)
    }

    /// The positions after the first `limit` occurrences of `pattern`, in suffix order. Positions for which `isMasked` holds are
    /// skipped.
    func continuations(of pattern: ArraySlice<Int32>, limit: Int, isMasked: (Int) -> Bool) -> [Int] {
        let first = lowerBound { compare($0, pattern) < 0 }
        var result: [Int] = []
        for rank in first..<positions.count {
            let position = Int(positions[rank])
            guard result.count < limit, compare(position, pattern) == 0 else { break }
            if !isMasked(position) { result.append(position + pattern.count) }
        }
        return result
    }

    /// The positions of all occurrences of `pattern`, which may be longer than ``sortedDepth``.
    func occurrences(of pattern: ArraySlice<Int32>) -> [Int] {
        let sorted = pattern.prefix(Self.sortedDepth)
        return continuations(of: sorted, limit: .max) { compare($0, pattern) != 0 }.map { $0 - sorted.count }
    }

    /// The number of leading positions for which `isBefore` holds.
    private func lowerBound(_ isBefore: (Int) -> Bool) -> Int {
        var low = 0
        var high = positions.count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(Int(positions[middle])) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Compares the tokens from `position` on with `pattern`.
    private func compare(_ position: Int, _ pattern: ArraySlice<Int32>) -> Int {
        for (offset, token) in pattern.enumerated() {
            // Every document ends with a separator, which equals no token of a pattern.
            let other = tokens[position + offset]
            if other != token { return other < token ? -1 : 1 }
        }
        return 0
    }

    /// Sorts by the first token, then by the first 2, 4, … tokens with pairs of known ranks (U. Manber and G. Myers, "Suffix
    /// arrays", 1993).
    private static func sorted(_ tokens: [Int32]) -> [Int32] {
        let count = tokens.count
        guard count > 0 else { return [] }
        var ranks = firstRanks(tokens)
        var order = countingSorted((0..<Int32(count)).map { $0 }, by: ranks)
        var length = 1
        while length < sortedDepth {
            // The positions in the order of the suffixes `length` tokens later. Positions near the end have none there and come
            // first.
            var byTail = (max(0, count - length)..<count).map { Int32($0) }
            byTail.reserveCapacity(count)
            for position in order where Int(position) >= length { byTail.append(position - Int32(length)) }
            order = countingSorted(byTail, by: ranks)
            let old = ranks
            rank(order, into: &ranks) { a, b in
                guard old[a] == old[b], max(a, b) + length < count else { return false }
                return old[a + length] == old[b + length]
            }
            length *= 2
        }
        return order.filter { tokens[Int($0)] != separator }
    }

    /// For each position, the number of smaller tokens.
    private static func firstRanks(_ tokens: [Int32]) -> [Int32] {
        let largest = tokens.reduce(separator) { max($0, $1) }
        // Index t + 2 counts token t, so that index t + 1 gets the number of smaller tokens.
        var smaller = [Int32](repeating: 0, count: Int(largest) + 3)
        for token in tokens { smaller[Int(token) + 2] += 1 }
        for index in smaller.indices.dropFirst() { smaller[index] += smaller[index - 1] }
        return tokens.map { smaller[Int($0) + 1] }
    }

    /// Numbers the positions by their places in `order`. Equal positions get equal numbers.
    private static func rank(_ order: [Int32], into ranks: inout [Int32], areEqual: (Int, Int) -> Bool) {
        var current: Int32 = 0
        for index in order.indices {
            if index > 0, !areEqual(Int(order[index - 1]), Int(order[index])) { current = Int32(index) }
            ranks[Int(order[index])] = current
        }
    }

    /// Sorts `positions` by their ranks, which are below `positions.count`. Equal positions keep their order.
    private static func countingSorted(_ positions: [Int32], by ranks: [Int32]) -> [Int32] {
        // A rank is the index at which its first position goes.
        var next = (0..<Int32(positions.count)).map { $0 }
        var result = [Int32](repeating: 0, count: positions.count)
        for position in positions {
            let rank = Int(ranks[Int(position)])
            result[Int(next[rank])] = position
            next[rank] += 1
        }
        return result
    }
}
