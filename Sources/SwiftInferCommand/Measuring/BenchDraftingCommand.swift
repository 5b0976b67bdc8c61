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
        abstract: "Measure the gain of drafting on suites of tasks.",
        discussion: """
            A suite is a .jsonl file with a task on each line: id, prompt and reference. If the prompt comes from a \
            repository, the task also has the repository and the lines to exclude, which are the answer. The drafters see \
            neither these lines nor any other copy of them.

            Answers are the model's own or, with --replay, the references: the model computes the same steps, but its \
            choices are replaced. All drafters, and decoding without one, take turns on each task. Drafters keep what they \
            learn unless --cold is given.

            With --fixed-width or --cost-curve alone, no model runs and nothing is timed: the references are followed, and \
            the steps are counted or charged. Drafters start anew for each task unless --warm is given. Only the vocabulary \
            of the model's file is read.

            Ctrl-C ends the benchmark with the tasks done so far.
            """
    )

    @OptionGroup var model: ModelArgument

    @Option(
        parsing: .singleValue, help: ArgumentHelp("A suite; may be given several times.", valueName: "file.jsonl"),
        completion: .file(extensions: ["jsonl"]))
    var suite: [String]

    @Option(
        help: ArgumentHelp(
            "The drafters to measure, separated by commas (default: \(Self.allDrafters.joined(separator: ", "))).",
            valueName: "names"))
    var drafters: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A datastore for codeswift and rest, without copies of the answers; may be given several times.",
            valueName: "file"))
    var datastore: [String] = []

    @Option(
        help: ArgumentHelp(
            "Parts that codeswift leaves out, to measure their worth (timing: every drafter leaves it out): \(Ablation.allValueStrings.joined(separator: ", ")).",
            valueName: "parts"))
    var without = Ablation([])

    @Flag(help: "Make the model give the references.")
    var replay = false

    @Option(
        help: ArgumentHelp(
            "With --replay, use the vocabulary of another file: real tokens for a model of random weights.",
            valueName: "file.gguf"))
    var vocabulary: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Count steps of at most n rows without a model; with --replay, time them.", valueName: "n,n,…"))
    var fixedWidth = CountList([])

    @Option(
        help: ArgumentHelp(
            "Charge steps without a model, by pairs [rows, cost] or by the output of bench model --json.",
            valueName: "file.json"))
    var costCurve: String?

    @Flag(help: "Let drafters forget after each task.")
    var cold = false

    @Flag(help: "Without a model, let drafters keep what they learn from task to task.")
    var warm = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Maximum number of tasks of a suite, evenly spread over it.", valueName: "n"))
    var limit: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Maximum number of tokens of a prompt; its beginning is cut off.", valueName: "tokens"))
    var maxPrompt = 3072

    @Option(
        name: .short, parsing: .unconditional,
        help: ArgumentHelp("Maximum number of tokens of an answer.", valueName: "n"))
    var n = 256

    @Option(help: "Storage type of keys and values.")
    var kvType = KVCacheType.f16

    @Flag(help: "Report where codeswift's time goes. This takes some time itself.")
    var profile = false

    @Option(
        help: ArgumentHelp(
            """
            Write the outcomes of codeswift's predictions for Tools/fit-mixer. For each place whose next token became \
            known, there is a line per prediction: the suite, the number of the place, 1 if it was right or 0, its \
            probability, and the inputs of the sum that gave it.
            """,
            valueName: "file.csv"))
    var dumpPredictions: String?

    @OptionGroup(title: "Engine") var engine: EngineOptions

    @Option(help: ArgumentHelp("Draw the figures.", valueName: "file.svg"), completion: .file())
    var svg: String?

    @Flag(help: #"Print one JSON object {"mode":…,"rows":[…],"tasks":[…],"step_cost":[…],…}."#)
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
        if dumpPredictions != nil,
            !drafterNames.split(separator: ",").contains("codeswift") || !without.options.calibrates
        {
            throw ValidationError("--dump-predictions needs codeswift among the drafters, with calibration.")
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
        try await benchmark.finishPredictions()
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

    private static var allDrafters: [String] { DraftingContestant.all().map(\.name) }

    private var drafterNames: String { drafters ?? Self.allDrafters.joined(separator: ",") }

    private func benchmark() throws -> DraftingBenchmark {
        let contestants = try DraftingContestant.named(
            drafterNames, without: without, isProfiled: profile, predictions: dumpPredictions.map(PredictionTable.init))
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
