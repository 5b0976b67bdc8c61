// `swiftinfer bench drafting`: the gain of drafting on suites of tasks.

import ArgumentParser
import Foundation
import InferCodeSwift
import InferDecoding
import InferEvaluation
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
        let suites = try suite.map { path in
            try DraftingSuite(InputText.file(path, limit: InputText.largestList), path: path, limit: limit)
        }
        let benchmark = try benchmark()
        let (results, interrupted) = try await Interrupts.shared.cancelling {
            let progress = DraftingProgress(total: suites.reduce(0) { $0 + $1.tasks.count })
            defer { progress.clear() }
            return try await benchmark.results(of: suites) { progress.update($0, $1) }
        }
        try await benchmark.finishGuesses()
        let report = await benchmark.report(results)
        if let svg { try write(DraftingPlots(report).svg, to: svg) }
        if json { try Output.json(report) } else { Output.standardOutput(report.text) }
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
        let costs = try costCurve.map { path in
            try CostCurve(InputText.file(path), path: path, maximumRows: DraftPlanner.maximumRows).costs
        }
        settings.mode = .simulated(costs: costs)
        settings.isCold = !warm
        let tokenizer = try Tokenizer(metadata: GGUFFile(path: path).metadata)
        settings.stores = try stores(tokenizer, path)
        return DraftingBenchmark(settings, contestants, tokenizer: tokenizer, session: nil)
    }

    /// Opens the datastores, which must be made for `tokenizer`, the tokenizer in the file `name`.
    private func stores(_ tokenizer: Tokenizer, _ name: String) throws(InferenceError) -> [Datastore] {
        let stores = try Datastore.open(datastore, for: TokenizerIdentity(tokenizer, name: name))
        // Counts must not depend on the speed of the disk.
        while isSimulation, stores.contains(where: { !$0.isReady }) { usleep(1000) }
        return stores
    }

    /// The tokenizer for texts, and the file it comes from: that of `model`, loaded from `path`, or of `--vocabulary`.
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

    private func write(_ drawing: String, to path: String) throws {
        do {
            try Data(drawing.utf8).write(to: URL(fileURLWithPath: path))
        } catch {
            throw InferenceError(.unwritableFile, "cannot write \(path): \(error.localizedDescription)")
        }
    }
}

extension Ablation: ExpressibleByArgument {
    /// Parses a comma-separated list of parts; nil for an unknown name.
    package init?(argument: String) {
        let names = argument.split(separator: ",")
        let known = names.compactMap { Part(rawValue: String($0)) }
        guard known.count == names.count else { return nil }
        self.init(Set(known))
    }

    /// The names of all parts.
    package static var allValueStrings: [String] { Part.allCases.map(\.rawValue) }

    /// The names of the parts.
    package var defaultValueDescription: String {
        parts.isEmpty ? "nothing" : parts.map(\.rawValue).sorted().joined(separator: ",")
    }
}
