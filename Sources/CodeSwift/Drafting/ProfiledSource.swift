// A source under a stopwatch.

import InferTokenizers

/// Passes everything on to another source and notes the time it takes.
final class ProfiledSource: DraftSource {
    private let source: any DraftSource
    private let profile: DraftProfile

    init(_ source: any DraftSource, _ profile: DraftProfile) {
        self.source = source
        self.profile = profile
    }

    var kind: SourceKind { source.kind }

    func reset(to tokens: [TokenID], kept: Int) {
        let start = ContinuousClock.now
        source.reset(to: tokens, kept: kept)
        profile.add(.reset, kind, since: start)
    }

    func append(_ token: TokenID) {
        let start = ContinuousClock.now
        source.append(token)
        profile.add(.append, kind, since: start)
    }

    func findEndings(_ matches: inout MatchList) {
        let start = ContinuousClock.now
        source.findEndings(&matches)
        profile.add(.endings, kind, since: start)
    }

    func prepare(_ range: Range<Int>, in matches: borrowing MatchList, by tokens: borrowing FlatList<TokenID>) {
        let start = ContinuousClock.now
        source.prepare(range, in: matches, by: tokens)
        profile.add(.prepare, kind, since: start)
    }

    func extend(_ range: Range<Int>, by token: TokenID, _ matches: inout MatchList) {
        let start = ContinuousClock.now
        source.extend(range, by: token, &matches)
        profile.add(.extend, kind, since: start)
    }

    func addFollowings(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to followings: inout FollowingList
    ) {
        let start = ContinuousClock.now
        source.addFollowings(of: range, in: matches, limit: limit, to: &followings)
        profile.add(.followings, kind, since: start)
    }
}
