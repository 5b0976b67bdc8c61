// What `bench drafting --json` prints.

import InferCodeSwift

/// The figures of drafters over suites of tasks.
struct DraftingReport: Encodable {
    /// A drafter's figures over a suite.
    struct Row: Encodable {
        let suite: String
        let drafter: String
        let width: Int?
        let tasks: Int
        let tokens: Int
        let tokensPerSecond: Double?
        /// The time of all tasks without drafting over that with it.
        let speedup: Double?
        /// The median of the tasks' own quotients, of answers that are long enough to be timed.
        let medianSpeedup: Double?
        /// The least of them.
        let worstTaskSpeedup: Double?
        let tokensPerStep: Double
        let drafted: Int
        let accepted: Int
        let retrievalPerStep: JSONNumber
        let inLoopShare: Double
        let speedupWithoutLoops: Double?

        enum CodingKeys: String, CodingKey {
            case suite, drafter, width, tasks, tokens, speedup, drafted, accepted
            case tokensPerSecond = "tokens_per_second", medianSpeedup = "median_speedup"
            case worstTaskSpeedup = "worst_task_speedup", tokensPerStep = "tokens_per_step"
            case retrievalPerStep = "retrieval_us_per_step", inLoopShare = "in_loop_share"
            case speedupWithoutLoops = "speedup_without_loops"
        }
    }

    /// A drafter's speed-up of one task.
    struct TaskRow: Encodable {
        let suite: String
        let task: String
        let drafter: String
        let width: Int?
        let promptTokens: Int
        let tokens: Int
        let steps: Int
        let speedup: Double?

        enum CodingKeys: String, CodingKey {
            case suite, task, drafter, width, tokens, steps, speedup
            case promptTokens = "prompt_tokens"
        }
    }

    /// A part of `codeswift`, over all suites.
    struct ProfileRow: Encodable {
        let part: String
        let calls: JSONNumber
        let time: JSONNumber

        enum CodingKeys: String, CodingKey {
            case part, calls = "calls_per_step", time = "us_per_step"
        }
    }

    /// `generated`, `replay` or, without a model, `simulated`.
    let mode: String
    let rows: [Row]
    let tasks: [TaskRow]
    /// Where the time of `codeswift` went, if that was asked for; parts of `draft` and `follow` among them.
    let profile: [ProfileRow]
    /// Rows of a step and its time over that of one row, as the drafters' engine learned it or was told.
    let stepCost: [[Double]]
    /// Answers that drafting changed. There must be none.
    let differences: Int

    enum CodingKeys: String, CodingKey { case mode, rows, tasks, profile, differences, stepCost = "step_cost" }

    /// Shorter answers are too soon over for their own quotient to mean anything.
    private static let shortestTimedAnswer = 16

    /// The figures of `results`.
    init(
        mode: String, _ results: [DraftingResult], stepCost: [Double], profile: [DraftProfile.Part], differences: Int
    ) {
        self.mode = mode
        self.differences = differences
        self.stepCost = stepCost.enumerated().map { [Double($0.offset + 1), $0.element] }
        var suites: [String] = []
        for result in results where !suites.contains(result.suite) { suites.append(result.suite) }
        rows = suites.flatMap { suite in
            let results = results.filter { $0.suite == suite }
            return results[0].runs.map { Self.row(suite, $0.entrant, results) }
        }
        let steps = results.flatMap(\.runs).reduce(0) { $0 + ($1.0.drafter == "codeswift" ? $1.1.steps : 0) }
        self.profile = profile.map { part in
            ProfileRow(
                part: part.name, calls: JSONNumber(Double(part.calls) / Double(max(steps, 1))),
                time: JSONNumber(part.duration / .microseconds(1) / Double(max(steps, 1))))
        }
        tasks = results.flatMap { result in
            result.runs.map { entrant, run in
                TaskRow(
                    suite: result.suite, task: result.task, drafter: entrant.drafter, width: entrant.width,
                    promptTokens: result.promptTokens, tokens: run.tokens, steps: run.steps,
                    speedup: result.speedup(of: run))
            }
        }
    }

    private static func row(
        _ suite: String, _ entrant: DraftingResult.Entrant, _ results: [DraftingResult]
    ) -> Row {
        let pairs = results.compactMap { result in result.run(entrant).map { (result, $0) } }
        let runs = pairs.map(\.1)
        func sum(_ value: (DraftingRun) -> Int) -> Int { runs.reduce(0) { $0 + value($1) } }
        let time = total(runs.map(\.time))
        let plain = total(pairs.map { $0.0.run(.none)?.time })
        let early = total(runs.map(\.timeBeforeLoop))
        let earlyPlain = total(pairs.map { $0.0.run(.none)?.timeBeforeLoop })
        let speedups = pairs.filter { $0.1.tokens >= shortestTimedAnswer }.compactMap { $0.0.speedup(of: $0.1) }
            .sorted()
        let steps = sum(\.steps)
        let tokens = sum(\.tokens)
        let retrieval = runs.reduce(Duration.zero) { $0 + $1.retrieval }
        return Row(
            suite: suite, drafter: entrant.drafter, width: entrant.width, tasks: runs.count, tokens: tokens,
            tokensPerSecond: quotient(Double(tokens), time), speedup: quotient(plain, time),
            medianSpeedup: speedups.isEmpty
                ? nil : (speedups[(speedups.count - 1) / 2] + speedups[speedups.count / 2]) / 2,
            worstTaskSpeedup: speedups.first, tokensPerStep: Double(tokens) / Double(max(steps, 1)),
            drafted: sum(\.drafted), accepted: sum(\.accepted),
            retrievalPerStep: JSONNumber(retrieval / .microseconds(1) / Double(max(steps, 1))),
            inLoopShare: Double(sum(\.loopTokens)) / Double(max(tokens, 1)),
            speedupWithoutLoops: quotient(earlyPlain, early))
    }

    /// The sum of times; nil unless all are known.
    private static func total(_ times: [Double?]) -> Double? {
        times.reduce(0) { sum, time in sum.flatMap { sum in time.map { sum + $0 } } }
    }

    private static func quotient(_ dividend: Double?, _ divisor: Double?) -> Double? {
        guard let dividend, let divisor, divisor > 0 else { return nil }
        return dividend / divisor
    }
}
