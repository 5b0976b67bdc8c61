// Measuring where the drafter spends its time.

import InferTokenizers

/// Calls and time by part of the CodeSwift drafter. Nothing is counted where nobody asked for it; where it is, the clock alone
/// costs some 50 ns a call.
package final class DraftProfile {
    /// A part of the drafter's work.
    package struct Part: Sendable {
        /// Such as `common.extend`, or `draft` for all of making a tree.
        package var name: String
        package var calls = 0
        package var duration = Duration.zero
    }

    /// What a source is asked to do.
    enum Request: Int, CaseIterable {
        case reset, append, endings, prepare, extend, followings
    }

    /// What the drafter does with all sources; includes what it asks of them.
    enum Stage: Int, CaseIterable {
        case draft, learn, follow, preferences
    }

    private var requests: [Part]
    private var stages: [Part]

    /// Has counted nothing yet.
    package init() {
        requests = SourceKind.allCases.flatMap { kind in Request.allCases.map { Part(name: "\(kind).\($0)") } }
        stages = Stage.allCases.map { Part(name: "\($0)") }
    }

    /// The parts that took part.
    package var parts: [Part] { (stages + requests).filter { $0.calls > 0 } }

    func add(_ request: Request, _ kind: SourceKind, since start: ContinuousClock.Instant) {
        Self.add(start, to: &requests[kind.rawValue * Request.allCases.count + request.rawValue])
    }

    func add(_ stage: Stage, since start: ContinuousClock.Instant) { Self.add(start, to: &stages[stage.rawValue]) }

    private static func add(_ start: ContinuousClock.Instant, to part: inout Part) {
        part.calls += 1
        part.duration += ContinuousClock.now - start
    }
}

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
