// States of an automaton as matches.

import InferTokenizers

extension SuffixAutomaton {
    /// Offers the class `state` and the shorter classes, as matches of the text's endings.
    ///
    /// - Parameters:
    ///   - length: Length of the match of `state`; nil for the longest substring of the class.
    ///   - endsText: Whether the end of the text is one of the occurrences, which has no continuation.
    func offerMatches(from state: State, length: Int?, endsText: Bool, to matches: inout MatchList) {
        var state = state
        var length = length ?? self.length(state)
        while state != Self.start, !matches.isComplete {
            let occurrences = self.occurrences(state) - (endsText ? 1 : 0)
            let next = shorter(state)
            matches.offer(
                Match(
                    length: length, shortest: self.length(next) + 1, occurrences: max(occurrences, 1),
                    place: Int(state)))
            state = next
            length = self.length(state)
        }
    }

    /// Offers the matches numbered `range` with `token` behind them, and the match of `token` alone.
    func offerMatches(extending range: Range<Int>, by token: TokenID, to matches: inout MatchList) {
        var shortest = 0
        for number in range {
            let match = matches[number]
            guard let state = next(State(truncatingIfNeeded: match.place), token) else { continue }
            shortest = offer(state, length: Int(match.length) + 1, to: &matches)
        }
        if shortest != 1, let state = next(Self.start, token) { _ = offer(state, length: 1, to: &matches) }
    }

    /// Offers the class `state`, of whose substrings the one of `length` matched, and returns the shortest one's length.
    private func offer(_ state: State, length: Int, to matches: inout MatchList) -> Int {
        let shortest = self.length(shorter(state)) + 1
        matches.offer(
            Match(length: length, shortest: shortest, occurrences: max(occurrences(state), 1), place: Int(state)))
        return shortest
    }

    /// Adds what follows the matches numbered `range`: the most frequent first, of equally frequent ones the most recent.
    func addFollowings(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to followings: inout FollowingList
    ) {
        for number in range {
            followings.begin(level: number - range.lowerBound)
            forEachContinuation(of: State(truncatingIfNeeded: matches[number].place)) { token, state in
                guard token >= 0 else { return }
                followings.insert(token, count: occurrences(state), end: lastEnd(state), limit: limit)
            }
        }
    }
}
