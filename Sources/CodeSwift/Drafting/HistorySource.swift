// Guesses from what the model wrote before.

import InferTokenizers

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
