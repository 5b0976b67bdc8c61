// The sources that search a suffix automaton: the text itself, and earlier outputs.

import InferTokenizers

/// Repetitions in the text: prompt and output so far.
final class ContextSource: DraftSource {
    let kind = SourceKind.context
    private var automaton = SuffixAutomaton()

    func reset(to tokens: [TokenID], kept: Int) {
        if kept < automaton.count { automaton = SuffixAutomaton() }
        for token in tokens[automaton.count...] { automaton.append(token) }
    }

    func append(_ token: TokenID) { automaton.append(token) }

    func findEndings(_ matches: inout MatchList) {
        automaton.offerMatches(from: automaton.repeatedEnding, length: nil, endsText: true, to: &matches)
    }

    func extend(_ range: Range<Int>, by token: TokenID, _ matches: inout MatchList) {
        automaton.offerMatches(extending: range, by: token, to: &matches)
    }

    func addFollowings(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to followings: inout FollowingList
    ) {
        automaton.addFollowings(of: range, in: matches, limit: limit, to: &followings)
    }
}

/// Earlier outputs, the newest within a limit.
final class HistorySource: DraftSource {
    let kind = SourceKind.history
    /// Stands between outputs; no token.
    private static let separator: TokenID = -1
    /// The most tokens that are kept, unless said otherwise.
    static let standardLimit = 1 << 16
    private let limit: Int
    /// The outputs, a separator after each.
    private(set) var tokens: [TokenID] = []
    private var automaton = SuffixAutomaton()
    private var state = SuffixAutomaton.start
    private var length = 0

    /// An empty history of at most `limit` tokens.
    init(limit: Int = HistorySource.standardLimit) { self.limit = limit }

    /// Adds an output.
    func insert(_ output: some Collection<TokenID>) {
        guard !output.isEmpty else { return }
        insertAll(Array(output) + [Self.separator])
    }

    private func insertAll(_ more: [TokenID]) {
        tokens += more
        if tokens.count > limit {
            // Half goes at once, so that starting anew is rare.
            let kept = tokens.suffix(limit / 2)
            tokens = Array(kept.drop { $0 != Self.separator }.dropFirst())
            automaton = SuffixAutomaton()
        }
        for token in tokens[automaton.count...] { automaton.append(token) }
    }

    /// Puts what was remembered elsewhere, with its index, before what there is.
    func prepend(_ earlier: [TokenID], _ index: SuffixAutomaton) {
        let own = tokens
        tokens = earlier
        automaton = index
        insertAll(own)
    }

    func reset(to tokens: [TokenID], kept: Int) {
        state = SuffixAutomaton.start
        length = 0
        for token in tokens.suffix(64) { append(token) }
    }

    func append(_ token: TokenID) {
        while true {
            if let next = automaton.next(state, token) {
                state = next
                length += 1
                return
            }
            guard state != SuffixAutomaton.start else { return }
            state = automaton.shorter(state)
            length = automaton.length(state)
        }
    }

    func findEndings(_ matches: inout MatchList) {
        automaton.offerMatches(from: state, length: length, endsText: false, to: &matches)
    }

    func extend(_ range: Range<Int>, by token: TokenID, _ matches: inout MatchList) {
        automaton.offerMatches(extending: range, by: token, to: &matches)
    }

    func addFollowings(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to followings: inout FollowingList
    ) {
        automaton.addFollowings(of: range, in: matches, limit: limit, to: &followings)
    }
}

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
