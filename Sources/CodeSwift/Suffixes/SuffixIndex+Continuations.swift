// What comes after a pattern.

extension SuffixIndex {
    /// Ranges up to this size are read whole; from larger ones, evenly spaced suffixes are read first.
    private static let exhaustiveLimit = 128

    /// Appends the most frequent continuations of the occurrences in `range` to `result`, most frequent first, then by
    /// token.
    ///
    /// Of a range too large to be read whole, a continuation of fewer than 1 in 64 occurrences can be missing. Occurrences
    /// inside `excluded` do not count; in such large ranges those counts are estimated.
    ///
    /// - Parameter limit: The most to append.
    package func continuations(
        of range: SuffixRange, limit: Int, excluding excluded: PositionSet? = nil, into result: inout [Continuation]
    ) {
        let start = result.count
        if range.count <= Self.exhaustiveLimit {
            readAll(range, excluding: excluded, into: &result)
        } else {
            readSamples(range, excluding: excluded, into: &result)
        }
        guard result.count - start > 1 else { return }
        result[start...].sort { ($0.count, $1.token) > ($1.count, $0.token) }
        if result.count - start > limit { result.removeLast(result.count - start - limit) }
    }

    private func readAll(_ range: SuffixRange, excluding excluded: PositionSet?, into result: inout [Continuation]) {
        var current = Continuation(token: -1, count: 0, range: range)
        func close(at index: Int, _ result: inout [Continuation]) {
            current.range.upper = index
            if current.count > 0 { result.append(current) }
        }
        var previous: UInt32?
        for index in range.lower..<range.upper {
            let next = tokens[position(index) &+ range.length]
            if next != previous {
                close(at: index, &result)
                // Nothing after a separator, and nothing a damaged file makes up, is a token.
                guard next < tokens.separator else {
                    current.count = 0
                    break
                }
                previous = next
                current = Continuation(
                    token: Int32(next), count: 0,
                    range: SuffixRange(lower: index, upper: index, length: range.length + 1))
            }
            if excluded?.contains(position(index)) != true { current.count += 1 }
        }
        if current.count > 0 { close(at: range.upper, &result) }
    }

    private func readSamples(_ range: SuffixRange, excluding excluded: PositionSet?, into result: inout [Continuation])
    {
        let samples = 64
        var index = range.lower
        for sample in 0..<samples {
            let probe = range.lower + range.count * sample / samples
            // The last continuation found reaches beyond this sample.
            guard probe >= index else { continue }
            let next = tokens[position(probe) &+ range.length]
            guard next < tokens.separator,
                let found = refine(
                    SuffixRange(lower: index, upper: range.upper, length: range.length), by: Int32(next))
            else { continue }
            index = max(found.upper, index)
            let share = excluded.map { includedShare(of: found, excluding: $0) } ?? 1
            let count = Int((Double(found.count) * share).rounded())
            if count > 0 { result.append(Continuation(token: Int32(next), count: count, range: found)) }
        }
    }

    /// The share of up to 32 evenly spaced occurrences that lies outside `excluded`.
    private func includedShare(of range: SuffixRange, excluding excluded: PositionSet) -> Double {
        let samples = min(range.count, 32)
        var included = 0
        for sample in 0..<samples
        where !excluded.contains(position(range.lower + range.count * sample / samples)) { included += 1 }
        return Double(included) / Double(samples)
    }
}
