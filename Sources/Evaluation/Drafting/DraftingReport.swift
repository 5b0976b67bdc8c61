// The figures of a drafting benchmark, as JSON and as a table.

import InferCodeSwift

/// The figures of drafters over suites of tasks.
package struct DraftingReport: Encodable, Sendable {
    /// A drafter's figures over a suite.
    package struct Row: Encodable, Sendable {
        package let suite: String
        package let drafter: String
        /// The most rows of a step; nil if the width was not fixed.
        package let width: Int?
        package let tasks: Int
        /// Tokens of all answers, without the first of each.
        package let tokens: Int
        package let tokensPerSecond: Double?
        /// The time of all tasks without drafting divided by the time with it.
        package let speedup: Double?
        /// The median speed-up of a task. Answers that are too short to time are left out.
        package let medianSpeedup: Double?
        /// The lowest speed-up of such a task.
        package let worstTaskSpeedup: Double?
        package let tokensPerStep: Double
        package let drafted: Int
        package let accepted: Int
        /// Microseconds that the drafter took per step.
        let retrievalPerStep: JSONNumber
        /// The share of tokens that belong to repetition loops.
        package let inLoopShare: Double
        /// The speed-up over the tokens before the first loop of each answer.
        package let speedupWithoutLoops: Double?

        enum CodingKeys: String, CodingKey {
            case suite, drafter, width, tasks, tokens, speedup, drafted, accepted
            case tokensPerSecond = "tokens_per_second", medianSpeedup = "median_speedup"
            case worstTaskSpeedup = "worst_task_speedup", tokensPerStep = "tokens_per_step"
            case retrievalPerStep = "retrieval_us_per_step", inLoopShare = "in_loop_share"
            case speedupWithoutLoops = "speedup_without_loops"
        }
    }

    /// A drafter's figures for one task.
    struct TaskRow: Encodable, Sendable {
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

    /// Calls of a part of `codeswift` and microseconds in it, per step, over all suites.
    struct ProfileRow: Encodable, Sendable {
        let part: String
        let calls: JSONNumber
        let time: JSONNumber

        enum CodingKeys: String, CodingKey {
            case part, calls = "calls_per_step", time = "us_per_step"
        }
    }

    /// `generated`, `replay` or, without a model, `simulated`.
    package let mode: String
    package let rows: [Row]
    let tasks: [TaskRow]
    /// The time spent in each part of `codeswift`; empty unless profiled. The parts of `draft` and `follow` are listed
    /// beside them.
    let profile: [ProfileRow]
    /// Pairs [n, C(n)]: the rows of a step and its cost relative to one row, as measured or as given.
    let stepCost: [[Double]]
    /// The number of answers that drafting changed. It must be 0.
    package let differences: Int

    enum CodingKeys: String, CodingKey { case mode, rows, tasks, profile, differences, stepCost = "step_cost" }

    /// The fewest tokens of an answer whose own speed-up counts. Shorter ones are dominated by noise.
    private static let shortestTimedAnswer = 16

    /// Summarises `results`.
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
                time: JSONNumber(part.duration.seconds * 1e6 / Double(max(steps, 1))))
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
            retrievalPerStep: JSONNumber(retrieval.seconds * 1e6 / Double(max(steps, 1))),
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

extension DraftingReport {
    private typealias Column = (title: String, value: @Sendable (Row) -> String?)

    private static let columns: [Column] = [
        ("width", { $0.width.map(String.init) }),
        ("tasks", { String($0.tasks) }),
        ("tokens", { String($0.tokens) }),
        ("tokens/s", { $0.tokensPerSecond.map { Format.decimal($0, 1) } }),
        ("speed-up", { $0.speedup.map { Format.decimal($0, 2) } }),
        ("median", { $0.medianSpeedup.map { Format.decimal($0, 2) } }),
        ("worst task", { $0.worstTaskSpeedup.map { Format.decimal($0, 2) } }),
        ("tokens/step", { Format.decimal($0.tokensPerStep, 2) }),
        ("drafted", { String($0.drafted) }),
        ("accepted", { String($0.accepted) }),
        ("µs/step", { Format.decimal($0.retrievalPerStep.value, 0) }),
        ("in loops", { Format.decimal(100 * $0.inLoopShare, 0) + "%" }),
        ("speed-up before loops", { $0.speedupWithoutLoops.map { Format.decimal($0, 2) } }),
    ]

    /// A table with a line per suite and drafter, and the profile if there is one. Columns without values are left out.
    package var text: String {
        let columns = Self.columns.filter { column in rows.contains { column.value($0) != nil } }
        var lines: [[String]] = []
        var suite: String?
        for row in rows {
            if row.suite != suite {
                lines.append([row.suite] + columns.map(\.title))
                suite = row.suite
            }
            lines.append(["  " + row.drafter] + columns.map { $0.value(row) ?? "–" })
        }
        let profile = profile.map { part in
            "  " + Format.left(part.part, 24) + Format.right(Format.decimal(part.calls.value, 1), 8)
                + Format.right(Format.decimal(part.time.value, 1), 8) + "\n"
        }
        return Format.columns(lines)
            + (profile.isEmpty ? "" : "codeswift: calls and µs per step\n" + profile.joined())
    }
}
