// Guesses from the text itself.

import Tokenizers

/// Repetitions in the text: prompt and output so far.
final class ContextSource: DraftSource {
    let kind = SourceKind.context
    private var automaton = SuffixAutomaton()

    func reset(to tokens: [TokenID], kept: Int) {
        if kept < automaton.count { automaton = SuffixAutomaton() }
        for token in tokens[automaton.count...] { automaton.append(token) }
    }

    func append(_ token: TokenID) { automaton.append(token) }

    func appendMatches(to matches: inout [Match]) {
        automaton.appendMatches(from: automaton.repeatedEnding, length: nil, endsText: true, to: &matches)
    }

    func extend(_ match: Match, by token: TokenID) -> Match? { automaton.extend(match, by: token) }

    func match(of token: TokenID) -> Match? { automaton.match(of: token) }

    func appendContinuations(of match: Match, limit: Int, to continuations: inout [Continuation]) {
        automaton.appendContinuations(of: match, limit: limit, to: &continuations)
    }
}
