// Helpers for tests of drafters: a scripted drafter, and short ways to ask a drafter.

import InferDecoding

/// A drafter that drafts by a closure and records all calls.
final class ScriptedDrafter: Drafter {
    let name: String
    let topTokensWanted: Int
    let isCalibrated: Bool
    private let script: (_ text: [Int32], _ tree: inout DraftTree) -> Void
    private(set) var text: [Int32] = []
    private(set) var asked = 0
    private(set) var outcomes: [DraftOutcome] = []

    init(
        _ name: String = "scripted", topTokensWanted: Int = 0, isCalibrated: Bool = false,
        script: @escaping (_ text: [Int32], _ tree: inout DraftTree) -> Void
    ) {
        self.name = name
        self.topTokensWanted = topTokensWanted
        self.isCalibrated = isCalibrated
        self.script = script
    }

    func reset(to tokens: [Int32]) { text = tokens }

    func draft(into tree: inout DraftTree, limit: Int) {
        asked += 1
        script(text, &tree)
    }

    func observe(_ outcome: DraftOutcome) {
        outcomes.append(outcome)
        text += outcome.tokens
    }
}

extension Drafter {
    /// The drafter's next draft.
    func draft(limit: Int = 64) -> DraftTree {
        var tree = DraftTree()
        draft(into: &tree, limit: limit)
        return tree
    }

    /// Tells the drafter that `tokens` were added to the text without a draft.
    func follow(_ tokens: [Int32]) { observe(DraftOutcome(tokens: tokens)) }
}

extension DraftTree {
    /// The paths from the root to all nodes without children, in order.
    var paths: [[Int32]] { nodes.filter { children(of: $0).isEmpty }.map(path) }
}
