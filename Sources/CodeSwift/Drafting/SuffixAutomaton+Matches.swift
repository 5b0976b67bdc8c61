// States of an automaton as matches.

import Tokenizers

extension SuffixAutomaton {
    /// Appends the class `state` and the shorter classes, as matches of the text's endings.
    ///
    /// - Parameters:
    ///   - length: Length of the match of `state`; nil for the longest substring of the class.
    ///   - endsText: Whether the end of the text is one of the occurrences, which has no continuation.
    func appendMatches(from state: State, length: Int?, endsText: Bool, to matches: inout [Match]) {
        var state = state
        var length = length ?? self.length(state)
        while state != Self.start {
            let occurrences = self.occurrences(state) - (endsText ? 1 : 0)
            let next = shorter(state)
            matches.append(
                Match(
                    length: length, shortest: self.length(next) + 1, occurrences: max(occurrences, 1),
                    place: Int(state)))
            state = next
            length = self.length(state)
        }
    }

    /// The match with `token` behind it.
    func extend(_ match: Match, by token: TokenID) -> Match? {
        next(State(match.place), token).map {
            Match(
                length: match.length + 1, shortest: length(shorter($0)) + 1, occurrences: max(occurrences($0), 1),
                place: Int($0))
        }
    }

    /// The match of `token` alone.
    func match(of token: TokenID) -> Match? {
        extend(Match(length: 0, shortest: 0, occurrences: 0, place: Int(Self.start)), by: token)
    }

    /// Appends what follows a match: most frequent first, of equally frequent ones the most recent.
    func appendContinuations(of match: Match, limit: Int, to continuations: inout [Continuation]) {
        // A short list kept in order by insertion: few classes have many continuations.
        var ends: [Int] = []
        let start = continuations.count
        forEachContinuation(of: State(match.place)) { token, state in
            guard token >= 0 else { return }
            let key = (occurrences(state), lastEnd(state))
            var index = ends.count
            while index > 0, (continuations[start + index - 1].count, ends[index - 1]) < key { index -= 1 }
            guard index < limit else { return }
            continuations.insert(Continuation(token: token, count: key.0), at: start + index)
            ends.insert(key.1, at: index)
            if ends.count > limit {
                ends.removeLast()
                continuations.removeLast()
            }
        }
    }
}
