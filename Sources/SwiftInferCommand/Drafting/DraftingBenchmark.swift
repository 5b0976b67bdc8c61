// Runs drafters over tasks, with a model or without.

import InferCodeSwift
import InferDecoding
import InferSupport
import InferTokenizers
import SwiftInfer

/// Drafters on tasks, side by side.
actor DraftingBenchmark {
    /// How answers come about and what is measured.
    enum Mode: Sendable {
        /// The model's own greedy answers, timed.
        case generated
        /// The reference answers, timed: the model is made to give them.
        case replay
        /// The reference answers without a model; steps are counted, or cost what the curve says.
        case simulated(costs: [Double]?)
    }

    /// What the benchmark does.
    struct Settings: Sendable {
        var mode = Mode.generated
        /// Most tokens of an answer.
        var maximumTokens = 256
        /// Most tokens of a prompt; what is further back is cut off.
        var maximumPrompt = 3072
        /// Whether drafters begin each task without what earlier tasks taught them.
        var isCold = false
        /// Whether drafters are asked only when that pays, or before every step.
        var timesRetrieval = true
        /// Most rows of a step, in turn; empty for as many as pay.
        var widths: [Int] = []
        /// Datastores that drafters may draw on in all tasks.
        var stores: [Datastore] = []
    }

    private let settings: Settings
    private let contestants: [DraftingContestant]
    private let tokenizer: Tokenizer
    private let session: Session?
    private var repositories: [String: DraftingRepository] = [:]
    private var taskCount = 0
    /// Tasks in which an answer was not what it is without drafting.
    private(set) var differences = 0

    /// A benchmark of `contestants`; `session` runs the model, nil for a simulation.
    init(
        _ settings: Settings, _ contestants: sending [DraftingContestant], tokenizer: Tokenizer, session: Session?
    ) {
        self.settings = settings
        self.contestants = contestants
        self.tokenizer = tokenizer
        self.session = session
    }

    /// What the session learned of the cost of steps, or what it was told; empty for a simulation that counts steps
    /// alone.
    var stepCost: [Double] {
        get async {
            if case .simulated(let costs) = settings.mode { return costs ?? [] }
            return await session?.stepCostCurve ?? []
        }
    }

    /// Where the time of those that say so went.
    var profile: [DraftProfile.Part] { contestants.flatMap { $0.profile?.parts ?? [] } }

    /// Puts the tables of guesses that were wanted under their names.
    func finishGuesses() throws(InferenceError) {
        for contestant in contestants { try contestant.guesses?.finish() }
    }

    /// Runs everybody on `task`. Nil when the task is cancelled, or too short to measure anything.
    func run(_ task: DraftingTask, of suite: DraftingSuite) async throws -> DraftingResult? {
        let prompt = promptTokens(task)
        let reference = Array(
            tokenizer.encode(task.reference, addSpecial: false, parseSpecial: false).prefix(settings.maximumTokens))
        guard !prompt.isEmpty, reference.count > 1 else { return nil }
        for contestant in contestants { contestant.guesses?.suite = suite.name }
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

    /// The widths that everybody runs with, nil for as many rows as pay.
    private var widths: [Int?] { settings.widths.isEmpty ? [nil] : settings.widths }

    private var planners: [String: DraftPlanner] = [:]

    /// The planner of a contestant, which knows what earlier tasks taught unless every task begins anew.
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
        // Everybody takes turns at being first, so that a drift of the machine's speed favours nobody.
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
            let answer = try await Answer(session.generate(.tokens(prompt), options: options), printsText: false)
            if Task.isCancelled { return }
            let entrant = DraftingResult.Entrant(drafter: contestant?.name ?? "none", width: width)
            answers.append((entrant, answer.statistics))
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

    private func choice(
        _ contestant: DraftingContestant, _ width: Int?, _ path: String?, _ drafter: any Drafter
    ) -> DrafterChoice {
        nonisolated(unsafe) let drafter = drafter
        return DrafterChoice("\(contestant.name) \(width ?? 0) \(path ?? "")") { _ in drafter }
    }
}

extension DraftingRun {
    /// The account of a generation, of whose tokens `isInLoop` says which repeat what was before.
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

/// Guesses nothing.
private final class NoDrafter: Drafter {
    let name = "none"
    func reset(to tokens: [Int32]) {}
    func draft(into tree: inout DraftTree, limit: Int) {}
    func observe(_ verification: Verification) {}
}
