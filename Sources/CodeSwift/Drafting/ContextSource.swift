// Guesses from the text itself.

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
