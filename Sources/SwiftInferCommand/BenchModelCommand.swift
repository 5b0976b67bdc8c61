// `swiftinfer bench model`: tokens per second, and what a step costs by its width.

import ArgumentParser
import InferSupport
import InferTensors
import InferTransformer
import SwiftInfer

struct BenchModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "Measure how fast a model runs.",
        discussion: """
            prompt-N: N tokens, logits of the last; generate-N: N steps of one token (llama-bench's pp and tg). width-N: one \
            step of N tokens, logits of all, which is what verifying a draft costs. Prompts and generation begin with an \
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

    @Option(parsing: .unconditional, help: ArgumentHelp("Tokens in the context before each test.", valueName: "n"))
    var depth: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("How often each is timed.", valueName: "r"))
    var repetitions = 5

    @Option(help: "How keys and values are stored.")
    var kvType = KVCacheType.f16

    @OptionGroup(title: "Engine") var engine: EngineOptions

    @Flag(
        help:
            #"Print one JSON object {"kernels":…,"rows":[{"test":…,"tokens_per_second":…,"spread":…},…],"step_cost":[[n,cost],…]}."#
    )
    var json = false

    private struct Report: Encodable {
        struct Row: Encodable {
            let test: String
            let tokensPerSecond: Double
            let spread: Double

            enum CodingKeys: String, CodingKey { case test, tokensPerSecond = "tokens_per_second", spread }
        }
        /// The kernels the processor computed with.
        let kernels: String?
        /// Bytes a second that the device reads and writes where it copies, in 10⁹; of a device with memory of its own.
        let copyRate: Double?
        /// Shaders that it runs in a step of one token, and barriers between them.
        let dispatches: Int?
        let barriers: Int?
        let rows: [Row]
        /// Width and the time of such a step over that of width 1; empty when width 1 was not timed.
        let stepCost: [[Double]]

        enum CodingKeys: String, CodingKey {
            case kernels, dispatches, barriers, rows
            case copyRate = "copy_gb_per_second"
            case stepCost = "step_cost"
        }
    }

    func validate() throws {
        if let depth, !(0...1 << 20).contains(depth) {
            throw ValidationError("--depth is \(depth), but must be from 0 to \(1 << 20).")
        }
        guard (1...1000).contains(repetitions) else {
            throw ValidationError("--repetitions is \(repetitions), but must be from 1 to 1000.")
        }
        if tests.isEmpty { throw ValidationError("Nothing to measure: every list is empty.") }
        // Logits of all rows of a step are kept.
        if widths.counts.contains(where: { $0 > 4096 }) { throw ValidationError("--widths must be at most 4096.") }
    }

    private var tests: [ModelBenchmark.Test] {
        prompt.counts.map { .prompt($0) } + generate.counts.map { .generate($0) } + widths.counts.map { .width($0) }
    }

    func run() throws {
        let tests = tests
        let capacity = ModelBenchmark.capacity(of: tests, depth: depth)
        let (model, _) = try engine.load(self.model.path(), for: .init(contextLength: capacity, cacheType: kvType))
        let benchmark = try ModelBenchmark(model, tests, depth: depth, cacheType: kvType)
        let bar = ProgressBar("measuring")
        defer { bar.clear() }
        var seconds = [[Double]](repeating: [], count: tests.count)
        // Round 0 warms caches, clocks and branch predictors, and does not count.
        for round in 0...repetitions {
            for (index, test) in tests.enumerated() {
                bar.update(
                    Double(round * tests.count + index) / Double((repetitions + 1) * tests.count), note: "\(test)")
                let time = try benchmark.time(test)
                if round > 0 { seconds[index].append(time) }
            }
        }
        bar.clear()
        let report = try report(of: benchmark, on: model.transformer.backend, tests, seconds.map { $0.sorted() })
        if json { try Output.json(report) } else { Output.standardOutput(text(report)) }
    }

    private func report(
        of benchmark: ModelBenchmark, on backend: any Backend, _ tests: [ModelBenchmark.Test], _ seconds: [[Double]]
    ) throws(InferenceError) -> Report {
        func median(_ sorted: [Double]) -> Double {
            (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        }
        let rows = zip(tests, seconds).map { test, seconds in
            let rates = seconds.map { Double(test.tokens) / $0 }
            return Report.Row(
                test: "\(test)", tokensPerSecond: Double(test.tokens) / median(seconds),
                spread: (rates[0] - rates[rates.count - 1]) / 2)
        }
        var times: [(width: Int, seconds: Double)] = []
        for (test, seconds) in zip(tests, seconds) {
            if case .width(let width) = test { times.append((width, median(seconds))) }
        }
        let single = times.first { $0.width == 1 }?.seconds
        let costs = single.map { single in times.map { [Double($0.width), $0.seconds / single] } } ?? []
        let device = backend as? any DeviceBackend
        let commands = try device.map { device throws(InferenceError) in try benchmark.commands(for: device) }
        return Report(
            kernels: (backend as? CPUBackend)?.kernels.name,
            copyRate: try device.map { device throws(InferenceError) in try device.copyRate() / 1e9 },
            dispatches: commands?.dispatches, barriers: commands?.barriers, rows: rows, stepCost: costs)
    }

    private func text(_ report: Report) -> String {
        let costs = Dictionary(report.stepCost.map { ("width-\(Int($0[0]))", $0[1]) }) { first, _ in first }
        let copies = report.copyRate.map { "the device copies at \(Format.decimal($0, 0)) GB/s\n" } ?? ""
        var commands = ""
        if let dispatches = report.dispatches, let barriers = report.barriers {
            commands = "a step of one token is \(dispatches) dispatches with \(barriers) barriers\n"
        }
        return report.rows.map { row in
            let cost = costs[row.test].map { "   step cost \(Format.decimal($0, 2))" } ?? ""
            return Format.left(row.test, 14) + Format.right(Format.decimal(row.tokensPerSecond, 1), 10)
                + " ± \(Format.left(Format.decimal(row.spread, 1), 7)) tokens/s" + cost + "\n"
        }.joined() + commands + copies
    }
}
