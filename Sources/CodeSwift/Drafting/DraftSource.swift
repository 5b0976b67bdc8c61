// Something that knows continuations of endings.

import InferTokenizers

/// A source of guesses, which follows the text and finds its endings.
///
/// The calls are coarse, one or two for each place of a draft: what happens per match happens within a source.
protocol DraftSource: AnyObject {
    /// What it is.
    var kind: SourceKind { get }

    /// Takes `tokens` as the text from now on; the first `kept` of them are those of the text before.
    func reset(to tokens: [TokenID], kept: Int)

    /// Goes on with a token.
    func append(_ token: TokenID)

    /// Offers the matches of the text's endings, the longest first.
    func findEndings(_ matches: inout MatchList)

    /// Hears that the matches numbered `range` will be asked to extend by each of `tokens`, so that it can look all of them up at
    /// once.
    func prepare(_ range: Range<Int>, in matches: borrowing MatchList, by tokens: borrowing FlatList<TokenID>)

    /// Offers those of the matches numbered `range` that go on with `token`, the longest first, and then that of `token`
    /// alone.
    func extend(_ range: Range<Int>, by token: TokenID, _ matches: inout MatchList)

    /// Adds what follows the matches numbered `range`, up to `limit` tokens each, the most frequent first.
    func addFollowings(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to followings: inout FollowingList)
}

extension DraftSource {
    /// Nothing, where look-ups are cheap.
    func prepare(_ range: Range<Int>, in matches: borrowing MatchList, by tokens: borrowing FlatList<TokenID>) {}
}
