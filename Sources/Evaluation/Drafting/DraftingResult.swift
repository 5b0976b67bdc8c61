// The results of all drafters for one task, and detection of repetition loops in answers.

/// The runs of one task, side by side.
package struct DraftingResult: Sendable {
    /// A drafter at a width.
    package struct Entrant: Hashable, Sendable {
        package let drafter: String
        /// The most rows of a step; nil if the width was not fixed.
        package let width: Int?

        /// Decoding without drafts.
        package static let none = Entrant(drafter: "none", width: nil)
    }

    package let suite: String
    package let task: String
    package let promptTokens: Int
    package internal(set) var runs: [(entrant: Entrant, run: DraftingRun)] = []

    /// The run of `entrant`.
    package func run(_ entrant: Entrant) -> DraftingRun? { runs.first { $0.entrant == entrant }?.run }

    /// The time without drafting divided by the time of `run`; nil if nothing was timed.
    package func speedup(of run: DraftingRun) -> Double? {
        guard let plain = self.run(.none)?.time, let time = run.time, time > 0 else { return nil }
        return plain / time
    }
}

/// One drafter's figures for one task. The first token is not counted: the prompt's step gives it.
package struct DraftingRun: Sendable {
    /// Tokens after the first.
    package internal(set) var tokens = 0
    package internal(set) var steps = 0
    /// Draft tokens that were checked.
    package internal(set) var drafted = 0
    /// Draft tokens that were accepted.
    package internal(set) var accepted = 0
    /// Time spent in the drafter.
    package internal(set) var retrieval = Duration.zero
    /// Time of all steps, in seconds, or in units of a one-row step for a simulation; nil if steps have no time.
    package internal(set) var time: Double?
    /// The same for the tokens before the answer's first loop.
    package internal(set) var timeBeforeLoop: Double?
    /// Tokens within a loop.
    package internal(set) var loopTokens = 0
}

/// Repetition loops: parts of an answer where a model repeats itself.
package enum TokenLoops {
    private static let longestPeriod = 64
    private static let leastRounds = 3
    private static let leastTokens = 24

    /// For each token, whether it belongs to the second or a later round of a loop. A loop is a sequence of at most 64
    /// tokens that occurs three or more times in a row and has 24 or more tokens in all.
    package static func mark(_ tokens: [Int32]) -> [Bool] {
        var isInLoop = [Bool](repeating: false, count: tokens.count)
        for period in 1..<max(1, min(longestPeriod, tokens.count / leastRounds) + 1) {
            let least = max(leastRounds * period, leastTokens) - period
            var repeated = 0
            for index in period..<tokens.count {
                repeated = tokens[index] == tokens[index - period] ? repeated + 1 : 0
                if repeated == least {
                    for earlier in index - least + 1..<index { isInLoop[earlier] = true }
                }
                if repeated >= least { isInLoop[index] = true }
            }
        }
        return isInLoop
    }
}
