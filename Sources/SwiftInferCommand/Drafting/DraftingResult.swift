// What all drafters did with one task.

/// A task's runs, side by side.
struct DraftingResult: Sendable {
    /// Who ran.
    struct Entrant: Hashable, Sendable {
        let drafter: String
        /// Most rows of a step, where that was fixed.
        let width: Int?

        /// No drafting.
        static let none = Entrant(drafter: "none", width: nil)
    }

    let suite: String
    let task: String
    let promptTokens: Int
    var runs: [(entrant: Entrant, run: DraftingRun)] = []

    /// The run of `entrant`.
    func run(_ entrant: Entrant) -> DraftingRun? { runs.first { $0.entrant == entrant }?.run }

    /// The time without drafting over that of `run`; nil where nothing was timed.
    func speedup(of run: DraftingRun) -> Double? {
        guard let plain = self.run(.none)?.time, let time = run.time, time > 0 else { return nil }
        return plain / time
    }
}
