// `swiftinfer bench drafting`: what drafting brings on suites of tasks.

import ArgumentParser
import Foundation
import InferCodeSwift
import InferDecoding
import InferGGUF
import InferSupport
import SwiftInfer

struct BenchDraftingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drafting",
        abstract: "Measure what drafting brings on suites of tasks.",
        discussion: """
            A suite is a .jsonl file: on each line a task with id, prompt and reference and, where the prompt comes \
            from a repository, the repository and which lines of it to exclude: the answer. They and any other copy \
            of it are kept from the drafters.

            Answers are the model's own, or with --replay the references, which the model is made to give in the time \
            that it takes. All drafters and none take turns on each task; drafters keep what they learn unless --cold. \
            With --fixed-width or --cost-curve alone no model runs and nothing is timed: the references are followed, the \
            steps counted or charged, and each task begins anew unless --warm; of the model's file only the \
            vocabulary is read.

            Ctrl-C ends it with the tasks done so far.
            """
    )

    @OptionGroup var model: ModelArgument

    @Option(parsing: .singleValue, help: ArgumentHelp("A suite; may be given several times.", valueName: "file.jsonl"))
    var suite: [String]

    @Option(help: ArgumentHelp("Drafters that take part.", valueName: "names"))
    var drafters = DraftingContestant.all().map(\.name).joined(separator: ",")

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A datastore for codeswift and rest, which answers are kept out of; may be given several times.",
            valueName: "file"))
    var datastore: [String] = []

    @Option(
        help: ArgumentHelp(
            "What codeswift (without timing: every drafter) goes without, to see what it is worth: \(Ablation.allValueStrings.joined(separator: ", ")).",
            valueName: "parts"))
    var without = Ablation([])

    @Flag(help: "Let the model give the references.")
    var replay = false

    @Option(
        help: ArgumentHelp(
            "With --replay, take the tokens of another file's vocabulary: real ones for a model of random weights.",
            valueName: "file.gguf"))
    var vocabulary: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Count steps of at most so many rows, without a model; with --replay, time them.", valueName: "n,n,…"))
    var fixedWidth = CountList([])

    @Option(
        help: ArgumentHelp(
            "Charge steps by pairs [rows, cost] or by what bench model --json printed, without a model.",
            valueName: "file.json"))
    var costCurve: String?

    @Flag(help: "Let drafters forget after each task.")
    var cold = false

    @Flag(help: "Without a model, let drafters keep what tasks teach.")
    var warm = false

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Most tasks of a suite, evenly spread over it.", valueName: "n"))
    var limit: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Most tokens of a prompt; what is further back is cut off.", valueName: "tokens"))
    var maxPrompt = 3072

    @Option(name: .short, parsing: .unconditional, help: ArgumentHelp("Most tokens of an answer.", valueName: "n"))
    var n = 256

    @Option(help: "How keys and values are stored.")
    var kvType = KVCacheType.f16

    @Flag(help: "Tell where codeswift's time goes, which takes some more.")
    var profile = false

    @Option(
        help: ArgumentHelp(
            """
            Write what became of codeswift's guesses, as Tools/fit-mixer takes it: for each place whose next token \
            became known a line per guess with the suite, the number of the place, 1 for right or 0, the probability \
            that the guess was given, and the inputs of the sum that gave it.
            """,
            valueName: "file.csv"))
    var dumpGuesses: String?

    @OptionGroup(title: "Engine") var engine: EngineOptions

    @Option(help: ArgumentHelp("Draw the figures.", valueName: "file.svg"))
    var svg: String?

    @Flag(help: #"Print one JSON object {"mode":…,"rows":[…],"tasks":[…],"step_cost":[[n,cost],…],…}."#)
    var json = false

    private var isSimulation: Bool { !replay && !fixedWidth.counts.isEmpty || costCurve != nil }

    func validate() throws {
        if !fixedWidth.counts.isEmpty, costCurve != nil {
            throw ValidationError("--fixed-width and --cost-curve are two different things to measure.")
        }
        if fixedWidth.counts.contains(where: { $0 > DraftPlanner.maximumRows }) {
            throw ValidationError("--fixed-width must be at most \(DraftPlanner.maximumRows).")
        }
        if warm, cold || !isSimulation {
            throw ValidationError("--warm goes with --fixed-width or --cost-curve alone.")
        }
        if vocabulary != nil, !replay { throw ValidationError("--vocabulary goes with --replay alone.") }
        if replay, costCurve != nil { throw ValidationError("--cost-curve charges steps where --replay times them.") }
        if dumpGuesses != nil, !drafters.split(separator: ",").contains("codeswift") || !without.options.calibrates {
            throw ValidationError("--dump-guesses wants codeswift among the drafters, with calibration.")
        }
        if let limit, limit < 1 { throw ValidationError("--limit is \(limit), but must be at least 1.") }
        if n < 2 { throw ValidationError("-n is \(n), but must be at least 2: the first token comes with the prompt.") }
        if maxPrompt < 2 { throw ValidationError("--max-prompt is \(maxPrompt), but must be at least 2.") }
    }

    func run() async throws {
        let suites = try suite.map { try DraftingSuite(contentsOf: $0, limit: limit) }
        let benchmark = try benchmark()
        let (results, interrupted) = try await Interrupts.shared.cancelling {
            try await Self.results(of: benchmark, suites)
        }
        try await benchmark.finishGuesses()
        let report = DraftingReport(
            mode: isSimulation ? "simulated" : replay ? "replay" : "generated", results,
            stepCost: await benchmark.stepCost, profile: await benchmark.profile,
            differences: await benchmark.differences)
        if let svg { try write(DraftingPlots(report).document, to: svg) }
        if json { try Output.json(report) } else { Output.standardOutput(DraftingTable(report: report).description) }
        if report.differences > 0 {
            Output.standardError(
                "drafting changed the answers to \(report.differences) tasks, which must never happen\n")
            throw ExitCode.failure
        }
        if interrupted { throw ExitCode(Interrupts.exitStatus) }
    }

    private func benchmark() throws -> DraftingBenchmark {
        let contestants = try DraftingContestant.named(
            drafters, without: without, isProfiled: profile, guesses: dumpGuesses.map(GuessTable.init))
        var settings = DraftingBenchmark.Settings()
        settings.maximumTokens = n
        settings.maximumPrompt = maxPrompt
        settings.timesRetrieval = without.keepsTiming
        settings.widths = fixedWidth.counts
        let path = try model.path()
        guard isSimulation else {
            settings.mode = replay ? .replay : .generated
            settings.isCold = cold
            let options = Session.Options(contextLength: maxPrompt + n, cacheType: kvType, drafter: .none)
            let (model, _) = try engine.load(path, for: options)
            let session = try model.makeSession(options)
            let (tokenizer, name) = try tokenizer(for: model, path)
            settings.stores = try stores(tokenizer, name)
            return DraftingBenchmark(settings, contestants, tokenizer: tokenizer, session: session)
        }
        let costs = try costCurve.map { try CostCurve(contentsOf: $0, maximumRows: DraftPlanner.maximumRows).costs }
        settings.mode = .simulated(costs: costs)
        settings.isCold = !warm
        let tokenizer = try Tokenizer(metadata: GGUFFile(path: path).metadata)
        settings.stores = try stores(tokenizer, path)
        return DraftingBenchmark(settings, contestants, tokenizer: tokenizer, session: nil)
    }

    /// The datastores, which must be of `tokenizer`, the one in the file called `name`.
    private func stores(_ tokenizer: Tokenizer, _ name: String) throws(InferenceError) -> [Datastore] {
        let stores = try Datastore.open(datastore, for: TokenizerIdentity(tokenizer, name: name))
        // What is counted is not to depend on how fast a disk is.
        while isSimulation, stores.contains(where: { !$0.isReady }) { usleep(1000) }
        return stores
    }

    /// What turns texts into tokens that `model`, loaded from `path`, takes, and the file it comes from.
    private func tokenizer(for model: Model, _ path: String) throws(InferenceError) -> (Tokenizer, file: String) {
        guard let vocabulary else { return (model.tokenizer, path) }
        let tokenizer = try Tokenizer(metadata: GGUFFile(path: vocabulary).metadata)
        guard tokenizer.count <= model.tokenizer.count else {
            throw InferenceError(
                .invalidArgument,
                "\(vocabulary) has \(tokenizer.count) tokens, the model only \(model.tokenizer.count)")
        }
        return (tokenizer, vocabulary)
    }

    /// Runs all tasks, or those before the task is cancelled.
    private static func results(
        of benchmark: DraftingBenchmark, _ suites: [DraftingSuite]
    ) async throws -> [DraftingResult] {
        let progress = DraftingProgress(total: suites.reduce(0) { $0 + $1.tasks.count })
        defer { progress.clear() }
        var results: [DraftingResult] = []
        for suite in suites {
            for task in suite.tasks {
                if Task.isCancelled { return results }
                if let result = try await benchmark.run(task, of: suite) { results.append(result) }
                progress.advance("\(suite.name), \(task.id)")
            }
        }
        return results
    }

    private func write(_ document: SVGDocument, to path: String) throws {
        do {
            try Data(document.description.utf8).write(to: URL(fileURLWithPath: path))
        } catch {
            throw InferenceError(.unwritableFile, "cannot write \(path): \(error.localizedDescription)")
        }
    }
}
