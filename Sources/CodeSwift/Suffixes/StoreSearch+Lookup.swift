// Single look-ups in several suffix arrays.

package import InferTokenizers

extension StoreSearch {
    /// For tests. The number of occurrences of each ending of `text`, from length 1 to the longest ending that occurs.
    package mutating func endingCounts(of text: [TokenID], maximumLength: Int) -> [Int] {
        var matcher = SuffixMatcher(maximumLength: maximumLength)
        matcher.reset(to: text, &self)
        return (0..<matcher.endings.count).map { matcher.endings[$0].count }
    }

    /// For tests. What follows the longest ending of `text` that occurs: the number of occurrences served, and their most
    /// frequent continuations, at most ``PatternMemo/width``. Nil if not even the last token occurs.
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
