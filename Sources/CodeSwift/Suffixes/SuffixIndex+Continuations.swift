// What comes after a pattern.

extension SuffixIndex {
    /// Ranges up to this size are read whole.
    private static let exhaustiveLimit = 48
    /// Suffixes read of a larger range, evenly spaced.
    private static let sampleCount = 32

    /// Appends the most frequent continuations of the occurrences in `range` to `result`, most frequent first, then by
    /// token. Tokens at positions in `excluded` do not count.
    ///
    /// Of ranges of more than 48 occurrences 32 are read, which takes the same time for any store: the counts are
    /// estimates then, and rare continuations can be missing.
    ///
    /// - Parameter limit: The most to append.
    package func continuations(
        of range: SuffixRange, limit: Int, excluding excluded: PositionSet? = nil, into result: inout [Continuation]
    ) {
        let start = result.count
        let isSample = range.count > Self.exhaustiveLimit
        let reads = isSample ? Self.sampleCount : range.count
        // Suffixes are sorted, so equal continuations are neighbours.
        var current = Continuation(token: -1, count: 0)
        for read in 0..<reads {
            let position = self.position(range.lower + (isSample ? range.count * read / reads : read))
            let next = tokens[position &+ range.length]
            // Nothing after a separator, and nothing a damaged file makes up, is a token.
            guard next < tokens.separator, excluded?.contains(position &+ range.length) != true
            else { continue }
            if next != UInt32(bitPattern: current.token) {
                if current.count > 0 { result.append(current) }
                current = Continuation(token: Int32(bitPattern: next), count: 0)
            }
            current.count += 1
        }
        if current.count > 0 { result.append(current) }
        if isSample {
            for index in start..<result.count { result[index].count = result[index].count * range.count / reads }
        }
        guard result.count - start > 1 else { return }
        result[start...].sort { ($0.count, $1.token) > ($1.count, $0.token) }
        if result.count - start > limit { result.removeLast(result.count - start - limit) }
    }
}
