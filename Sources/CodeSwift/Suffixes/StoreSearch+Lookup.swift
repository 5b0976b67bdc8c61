// Single look-ups in several suffix arrays.

package import InferTokenizers

extension StoreSearch {
    /// How often each ending of `text` occurs, that of length 1 first, up to the longest that occurs.
    package mutating func endingCounts(of text: [TokenID], maximumLength: Int) -> [Int] {
        var matcher = SuffixMatcher(maximumLength: maximumLength)
        matcher.reset(to: text, &self)
        return (0..<matcher.endings.count).map { matcher.endings[$0].count }
    }

    /// What follows the longest ending of `text` that occurs: how many of the occurrences are served, and of their continuations
    /// the most frequent, at most ``PatternMemo/width``; nil where not even the last token occurs.
    package mutating func continuations(
        of text: [TokenID], maximumLength: Int
    ) -> (served: Int, continuations: [Continuation])? {
        var matcher = SuffixMatcher(maximumLength: maximumLength)
        matcher.reset(to: text, &self)
        guard !matcher.endings.isEmpty else { return nil }
        request(matcher.endings[matcher.endings.count - 1])
        var served = 0
        var found: [Continuation] = []
        readRequested { answer, kept in
            served = answer.served
            found = (0..<answer.count).map { Continuation(token: kept[$0].token, count: Int(kept[$0].count)) }
        }
        return (served, found)
    }
}
