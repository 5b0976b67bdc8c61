// Measuring where the drafter spends its time.

import InferTokenizers

/// Counts calls and time of the drafter's parts. Nothing is measured without a profile; with one, reading the clock
/// costs about 50 ns per call.
package final class DraftProfile {
    /// One part of the drafter's work.
    package struct Part: Sendable {
        /// A name such as `common.extend`, or `draft` for growing the whole tree.
        package var name: String
        package var calls = 0
        package var duration = Duration.zero
    }

    /// The methods of a source.
    enum Request: Int, CaseIterable {
        case reset, append, endings, prepare, extend, continuations
    }

    /// The stages of the drafter. They include the time in the sources.
    enum Stage: Int, CaseIterable {
        case draft, learn, follow, preferences
    }

    private var requests: [Part]
    private var stages: [Part]

    /// An empty profile.
    package init() {
        requests = SourceKind.allCases.flatMap { kind in Request.allCases.map { Part(name: "\(kind).\($0)") } }
        stages = Stage.allCases.map { Part(name: "\($0)") }
    }

    /// The parts with at least one call.
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

/// Forwards all calls to another source and records their time.
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

    func addContinuations(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to continuations: inout ContinuationList
    ) {
        let start = ContinuousClock.now
        source.addContinuations(of: range, in: matches, limit: limit, to: &continuations)
        profile.add(.continuations, kind, since: start)
    }
}
