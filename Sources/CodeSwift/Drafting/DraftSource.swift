// Something that knows continuations of endings.

import Tokenizers

/// A source of guesses, which follows the text and finds its endings.
protocol DraftSource: AnyObject {
    /// What it is.
    var kind: SourceKind { get }

    /// Takes `tokens` as the text from now on; the first `kept` of them are those of the text before.
    func reset(to tokens: [TokenID], kept: Int)

    /// Goes on with a token.
    func append(_ token: TokenID)

    /// Appends the matches of the text's endings, the longest first.
    func appendMatches(to matches: inout [Match])

    /// The match with `token` behind it.
    func extend(_ match: Match, by token: TokenID) -> Match?

    /// The match of `token` alone.
    func match(of token: TokenID) -> Match?

    /// Appends what follows a match, most frequent first.
    func appendContinuations(of match: Match, limit: Int, to continuations: inout [Continuation])
}
