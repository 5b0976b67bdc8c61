// The drafting benchmark: every drafter on every task of the suites, with or without a model.

package import InferCodeSwift
import InferDecoding
package import InferSupport
package import InferTokenizers
package import SwiftInfer

/// Runs all contestants, and decoding without drafts, on each task in turn.
package actor DraftingBenchmark {
    /// Where answers come from and what is measured.
    package enum Mode: Sendable {
        /// The model's own greedy answers, timed.
        case generated
        /// The reference answers, timed. The model runs, and its choice of tokens is replaced.
        case replay
        /// The reference answers without a model. Steps are counted, and have the given costs, at index i that of
        /// i + 1 rows.
        case simulated(costs: [Double]?)

        var name: String {
            switch self {
            case .generated: "generated"
            case .replay: "replay"
            case .simulated: "simulated"
            }
        }
    }

    /// Settings of a benchmark.
    package struct Settings: Sendable {
        package var mode = Mode.generated
        /// The most tokens of an answer.
        package var maximumTokens = 256
        /// The most tokens of a prompt. Longer prompts lose their beginning.
        package var maximumPrompt = 3072
        /// Whether drafters forget everything they learned after each task.
        package var isCold = false
        /// Whether drafters draft only when that is expected to pay, or before every step.
        package var timesRetrieval = true
        /// The most rows of a step. Each width is measured in turn; if empty, each step has as many rows as pay.
        package var widths: [Int] = []
        /// Datastores that drafters use in all tasks.
        package var stores: [Datastore] = []

        /// The default settings.
        package init() {}
    }

    private let settings: Settings
    private let contestants: [DraftingContestant]
    private let tokenizer: Tokenizer
    private let session: Session?
    private var repositories: [String: DraftingRepository] = [:]
    private var taskCount = 0
    /// The number of tasks whose answer differed from the answer without drafting. It must be 0.
    private var differences = 0

    /// Prepares a benchmark.
    ///
    /// - Parameter session: Runs the model; nil for a simulation.
    package init(
        _ settings: Settings, _ contestants: sending [DraftingContestant], tokenizer: Tokenizer, session: Session?
    ) {
        self.settings = settings
        self.contestants = contestants
        self.tokenizer = tokenizer
        self.session = session
    }

    /// Runs all tasks of `suites`. If the surrounding Swift task is cancelled, returns the tasks completed so far.
    ///
    /// - Parameter progress: Called after each task with the number of tasks done and a name for the last one.
    package func results(
        of suites: [DraftingSuite], progress: @Sendable (_ done: Int, _ name: String) -> Void = { _, _ in }
    ) async throws -> [DraftingResult] {
        var results: [DraftingResult] = []
        var done = 0
        for suite in suites {
            for task in suite.tasks {
                if Task.isCancelled { return results }
                if let result = try await run(task, of: suite) { results.append(result) }
                done += 1
                progress(done, "\(suite.name), \(task.id)")
            }
        }
        return results
    }

    /// The figures of `results`, which this benchmark gave.
    package func report(_ results: [DraftingResult]) async -> DraftingReport {
        DraftingReport(
            mode: settings.mode.name, results, stepCost: await stepCost,
            profile: contestants.flatMap { $0.profile?.parts ?? [] }, differences: differences)
    }

    /// Completes the tables of predictions.
    package func finishPredictions() throws(InferenceError) {
        for contestant in contestants { try contestant.predictions?.finish() }
    }

    /// The step costs that the session measured or that the simulation used; empty if steps were only counted.
    private var stepCost: [Double] {
        get async {
            if case .simulated(let costs) = settings.mode { return costs ?? [] }
            return await session?.stepCostCurve ?? []
        }
    }

    /// Runs all contestants on `task`. Nil if the Swift task is cancelled or the answer is too short to measure.
    private func run(_ task: DraftingTask, of suite: DraftingSuite) async throws -> DraftingResult? {
        let prompt = promptTokens(task)
        let reference = Array(
            tokenizer.encode(task.reference, addSpecial: false, parseSpecial: false).prefix(settings.maximumTokens))
        guard !prompt.isEmpty, reference.count > 1 else { return nil }
        for contestant in contestants { contestant.predictions?.suite = suite.name }
        var result = DraftingResult(suite: suite.name, task: task.id, promptTokens: prompt.count)
        let path = suite.repositoryPath(of: task)
        let repository = try path.map(repository)
        let withheld = repository?.withheld(for: task) ?? [:]
        func drafter(_ contestant: DraftingContestant, width: Int?) -> any Drafter {
            contestant.drafter(
                for: path, width: width, isNew: settings.isCold, withholding: withheld, answer: reference
            ) {
                DraftingContestant.Sources(
                    tokenizer: tokenizer, documents: repository?.tokens ?? [], stores: settings.stores)
            }
        }
        if let session {
            try await time(task, prompt, reference, path, drafter, session, &result)
        } else if case .simulated(let costs) = settings.mode {
            simulate(prompt, reference, costs: costs, drafter, &result)
        }
        return Task.isCancelled ? nil : result
    }

    private func promptTokens(_ task: DraftingTask) -> [TokenID] {
        let tokens = tokenizer.encode(task.prompt, addSpecial: true, parseSpecial: false)
        guard tokens.count > settings.maximumPrompt else { return tokens }
        let bos = tokenizer.addsBOS ? tokens.prefix(1) : []
        return bos + tokens.suffix(max(0, settings.maximumPrompt - bos.count))
    }

    private func repository(at path: String) throws -> DraftingRepository {
        if let known = repositories[path] { return known }
        let repository = try DraftingRepository(path, tokenizer)
        repositories[path] = repository
        return repository
    }

    private func simulate(
        _ prompt: [TokenID], _ answer: [TokenID], costs: [Double]?,
        _ drafter: (DraftingContestant, Int?) -> any Drafter, _ result: inout DraftingResult
    ) {
        let none = DraftPlanner(NoDrafter(), cost: StepCost(seconds: costs ?? [1]))
        let plain = DraftingReplay(width: .fixed(0), costs: costs)
            .run(none, prompt: prompt, answer: answer, tokenCount: tokenizer.count)
        result.runs.append((.none, plain))
        for contestant in contestants {
            for width in widths {
                let replay = DraftingReplay(width: width.map { .fixed($0 - 1) } ?? .automatic, costs: costs)
                let planner = planner(contestant, width, costs, drafter(contestant, width))
                let run = replay.run(planner, prompt: prompt, answer: answer, tokenCount: tokenizer.count)
                result.runs.append((.init(drafter: contestant.name, width: width), run))
            }
        }
    }

    /// The widths that each contestant runs with; nil stands for as many rows as pay.
    private var widths: [Int?] { settings.widths.isEmpty ? [nil] : settings.widths }

    private var planners: [String: DraftPlanner] = [:]

    /// The planner of a contestant. It keeps what it learned in earlier tasks unless the benchmark is cold.
    private func planner(
        _ contestant: DraftingContestant, _ width: Int?, _ costs: [Double]?, _ drafter: any Drafter
    ) -> DraftPlanner {
        let key = "\(contestant.name) \(width ?? 0)"
        if !settings.isCold, let known = planners[key], known.drafter === drafter { return known }
        let planner = DraftPlanner(drafter, cost: StepCost(seconds: costs ?? [1]))
        planners[key] = planner
        return planner
    }

    private func time(
        _ task: DraftingTask, _ prompt: [TokenID], _ reference: [TokenID], _ path: String?,
        _ drafter: (DraftingContestant, Int?) -> any Drafter, _ session: Session, _ result: inout DraftingResult
    ) async throws {
        var options = GenerationOptions(maximumTokens: settings.maximumTokens)
        if !settings.timesRetrieval { options.draftWidth = .eager }
        if case .replay = settings.mode { options.forcedTokens = reference } else { options.stop = task.stop ?? [] }
        var answers: [(entrant: DraftingResult.Entrant, statistics: Statistics)] = []
        // The contestants take turns at being first, so that a drift of the machine's speed does not favour one.
        let order: [(contestant: DraftingContestant?, width: Int?)] =
            [(nil, nil)] + contestants.flatMap { contestant in widths.map { (contestant, $0) } }
        let turn = taskCount % order.count
        for (contestant, width) in order[turn...] + order[..<turn] {
            options.usesDrafter = contestant != nil
            if let contestant {
                if let width { options.draftWidth = .fixed(width - 1) }
                let choice = choice(contestant, width, path, drafter(contestant, width))
                if settings.isCold { try await session.use(choice) } else { try await session.resume(choice) }
            }
            let statistics = try await Self.statistics(of: session.generate(.tokens(prompt), options: options))
            if Task.isCancelled { return }
            let entrant = DraftingResult.Entrant(drafter: contestant?.name ?? "none", width: width)
            answers.append((entrant, statistics))
        }
        taskCount += 1
        let plain = answers.first { $0.entrant == .none }?.statistics.tokens ?? []
        if answers.contains(where: { $0.statistics.tokens != plain }) { differences += 1 }
        let loops = TokenLoops.mark(plain)
        result.runs = order.compactMap { contestant, width in
            let entrant = DraftingResult.Entrant(drafter: contestant?.name ?? "none", width: width)
            return answers.first { $0.entrant == entrant }.map { ($0.entrant, DraftingRun($0.statistics, loops)) }
        }
    }

    /// Runs `generation` to its end.
    private static func statistics(of generation: Generation) async throws(InferenceError) -> Statistics {
        for try await event in generation {
            if case .finished(let statistics) = event { return statistics }
        }
        throw InferenceError(.cancelled, "the generation ended without statistics")
    }

    private func choice(
        _ contestant: DraftingContestant, _ width: Int?, _ path: String?, _ drafter: any Drafter
    ) -> DrafterChoice {
        nonisolated(unsafe) let drafter = drafter
        return DrafterChoice("\(contestant.name) \(width ?? 0) \(path ?? "")") { _ in drafter }
    }
}

extension DraftingRun {
    /// The figures of a generation. `isInLoop` tells for each token whether it belongs to a loop.
    fileprivate init(_ statistics: Statistics, _ isInLoop: [Bool]) {
        tokens = max(statistics.tokens.count - 1, 0)
        steps = statistics.steps
        drafted = statistics.draft.drafted
        accepted = statistics.draft.accepted
        retrieval = statistics.draft.retrievalDuration
        loopTokens = isInLoop.dropFirst().count { $0 }
        let times = statistics.tokenTimes
        func seconds(upTo count: Int) -> Double {
            guard count > 1, count <= times.count else { return 0 }
            return (times[count - 1] - times[0]) / .seconds(1)
        }
        time = seconds(upTo: times.count)
        timeBeforeLoop = seconds(upTo: min(isInLoop.firstIndex(of: true) ?? times.count, times.count))
    }
}

/// Drafts nothing.
private final class NoDrafter: Drafter {
    let name = "none"
    func reset(to tokens: [Int32]) {}
    func draft(into tree: inout DraftTree, limit: Int) {}
    func observe(_ outcome: DraftOutcome) {}
}
