// `swiftinfer bench model`: tokens per second, and the step cost by width.

import ArgumentParser
import Foundation
import InferEvaluation
import InferSupport
import SwiftInfer

struct BenchModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "Measure how fast a model runs.",
        discussion: """
            prompt-N: N tokens, logits of the last; generate-N: N steps of one token (llama-bench's pp and tg). width-N: one \
            step of N tokens, logits of all, which is what verifying a draft costs. tree-N: the same for a tree, two thirds of \
            whose rows are on branches beside the main one. Prompts and generation begin with an \
            empty context, steps after \(ModelBenchmark.usualStepDepth) tokens, unless --depth says otherwise. The tests take \
            turns; each figure is the median of the repetitions, its spread half the range between the slowest and the fastest.
            """
    )

    @OptionGroup var model: ModelArgument

    @Option(parsing: .unconditional, help: ArgumentHelp("Prompt lengths to time; 0: none.", valueName: "n,n,…"))
    var prompt = OptionalCountList([4, 8, 16, 32, 512])

    @Option(parsing: .unconditional, help: ArgumentHelp("Numbers of tokens to generate; 0: none.", valueName: "n,n,…"))
    var generate = OptionalCountList([128])

    @Option(parsing: .unconditional, help: ArgumentHelp("Widths of a step; 0: none.", valueName: "n,n,…"))
    var widths = OptionalCountList([1, 2, 4, 8, 16, 32, 64])

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Rows of a step whose draft is a tree; 0: none.", valueName: "n,n,…"))
    var trees = OptionalCountList([])

    @Option(parsing: .unconditional, help: ArgumentHelp("Tokens in the context before each test.", valueName: "n"))
    var depth: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("Number of times that each test is timed.", valueName: "r"))
    var repetitions = 5

    @Option(help: "Storage type of keys and values.")
    var kvType = KVCacheType.f16

    @OptionGroup(title: "Engine") var engine: EngineOptions

    @OptionGroup var recording: RecordOptions

    @Flag(
        help:
            #"Print one JSON object {"kernels":…,"rows":[…],"step_cost":[[n,cost],…]}."#
    )
    var json = false

    func validate() throws {
        if let depth, !(0...1 << 20).contains(depth) {
            throw ValidationError("--depth is \(depth), but must be from 0 to \(1 << 20).")
        }
        guard (1...1000).contains(repetitions) else {
            throw ValidationError("--repetitions is \(repetitions), but must be from 1 to 1000.")
        }
        if tests.isEmpty { throw ValidationError("Nothing to measure: every list is empty.") }
        // A step keeps the logits of all its rows.
        if widths.counts.contains(where: { $0 > 4096 }) { throw ValidationError("--widths must be at most 4096.") }
        if trees.counts.contains(where: { $0 > 4096 }) { throw ValidationError("--trees must be at most 4096.") }
    }

    private var tests: [ModelBenchmark.Test] {
        prompt.counts.map { .prompt($0) } + generate.counts.map { .generate($0) } + widths.counts.map { .width($0) }
            + trees.counts.map { .tree($0) }
    }

    func run() throws {
        let tests = tests
        let files = try recording.open(.model)
        let capacity = ModelBenchmark.capacity(of: tests, depth: depth)
        let (model, _) = try engine.load(self.model.path(), for: .init(contextLength: capacity, cacheType: kvType))
        let benchmark = try ModelBenchmark(model, tests, depth: depth, cacheType: kvType)
        let bar = ProgressBar("measuring")
        defer { bar.clear() }
        let load = try MachineLoad(threads: benchmark.threads ?? 1)
        let report = try benchmark.report(repetitions: repetitions) { bar.update($0, note: $1) }
        let warnings = load.warnings()
        bar.clear()
        Output.warn(warnings)
        let comparison = try files.finish(
            RateRecord(
                .model, version: Version.number, date: Date(), machine: .current(),
                instructionSet: report.kernels ?? "none", settings: settings(threads: benchmark.threads),
                warnings: warnings, rates: report.rates))
        if json {
            try Output.json(ComparedReport(report: report, comparison: comparison))
        } else {
            Output.standardOutput(report.text + (comparison.map { "\n" + $0.text } ?? ""))
        }
    }

    /// The circumstances that rates depend on.
    private func settings(threads: Int?) -> [String: String] {
        [
            "model": URL(fileURLWithPath: self.model.model).lastPathComponent,
            "device": threads == nil ? "Vulkan" : "processor",
            "number of threads": threads.map(String.init) ?? "none",
            "depth": depth.map(String.init) ?? "default",
            "type of keys and values": "\(kvType)", "build": Version.configuration,
        ]
    }
}
