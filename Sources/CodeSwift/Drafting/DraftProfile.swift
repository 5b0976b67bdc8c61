// Where the drafter's time goes.

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
