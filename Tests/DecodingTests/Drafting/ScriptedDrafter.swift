// A drafter that does what a test says, and remembers what it was told.

import InferDecoding

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
