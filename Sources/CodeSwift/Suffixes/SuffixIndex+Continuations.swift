// What comes after a pattern.

import InferTokenizers

extension SuffixIndex {
    /// Occurrences of a pattern up to this number are all read.
    static let exhaustiveLimit = 48
    /// Occurrences read of a more frequent pattern, evenly spaced.
    static let sampleCount = 32

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
        let reads = range.count > Self.exhaustiveLimit ? Self.sampleCount : range.count
        var found: [Continuation] = []
        for read in 0..<reads {
            let place = position(range.lower + range.count * read / reads) &+ range.length
            // Nothing after a separator, and nothing a damaged file makes up, is a token.
            guard case let next = tokens[place], next < tokens.separator, excluded?.contains(place) != true else {
                continue
            }
            let token = TokenID(bitPattern: next)
            // Suffixes are sorted, so equal continuations are neighbours.
            if found.last?.token != token { found.append(Continuation(token: token, count: 0)) }
            found[found.count - 1].count += 1
        }
        for index in found.indices { found[index].count = found[index].count * range.count / reads }
        found.sort { ($0.count, $1.token) > ($1.count, $0.token) }
        result += found.prefix(limit)
    }
}
