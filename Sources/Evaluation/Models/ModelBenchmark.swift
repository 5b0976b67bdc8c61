// The speed of a model: prompts, generation, and steps of several rows.

package import InferSupport
import InferTensors
import InferTransformer
package import SwiftInfer

/// Times steps of a model on made-up tokens.
package struct ModelBenchmark {
    /// One measurement.
    package enum Test: CustomStringConvertible, Sendable {
        /// A prompt of n tokens, with logits of the last row only (llama-bench's `pp`).
        case prompt(Int)
        /// n steps of one row (llama-bench's `tg`).
        case generate(Int)
        /// One step of n rows with logits of all, after which the state is rewound: the step that checks a draft.
        case width(Int)
        /// The same for a tree of n rows: after the first row, every three rows are a child of the last row of the main branch, which
        /// goes on from it, another child, and a child of that. So the main branch has a third of the rows.
        case tree(Int)

        package var description: String {
            switch self {
            case .prompt(let n): "prompt-\(n)"
            case .generate(let n): "generate-\(n)"
            case .width(let n): "width-\(n)"
            case .tree(let n): "tree-\(n)"
            }
        }

        /// Tokens that one run evaluates.
        package var tokens: Int {
            switch self {
            case .prompt(let n), .generate(let n), .width(let n), .tree(let n): n
            }
        }

        /// Tokens before the test if no depth is given. A draft is never checked without tokens before it.
        fileprivate var usualDepth: Int {
            switch self {
            case .width, .tree: ModelBenchmark.usualStepDepth
            case .prompt, .generate: 0
            }
        }
    }

    /// Tokens before a step of several rows if no depth is given.
    package static let usualStepDepth = 64
    /// A run is repeated until this time has passed, so that the clock's resolution and short disturbances matter little.
    private static let shortestTiming = Duration.milliseconds(60)

    private let model: TransformerModel
    private let sequence: SequenceState
    private let backend: any Backend
    private let vocabularySize: Int
    private let tests: [Test]
    private let depth: Int?

    /// Makes a sequence with room for every test.
    ///
    /// - Parameter depth: Tokens before each test (llama-bench's `-d`); nil for 0, and ``usualStepDepth`` before a step of
    ///   several rows.
    package init(_ model: Model, _ tests: [Test], depth: Int?, cacheType: KVCacheType) throws(InferenceError) {
        self.tests = tests
        self.depth = depth
        let transformer = try model.transformer
        backend = transformer.backend
        self.model = transformer
        sequence = try transformer.makeSequence(
            capacity: Self.capacity(of: tests, depth: depth), cacheType: cacheType)
        vocabularySize = model.configuration.vocabularySize
    }

    /// Tokens that the longest of `tests` needs, including those before it.
    package static func capacity(of tests: [Test], depth: Int?) -> Int {
        tests.reduce(1) { max($0, (depth ?? $1.usualDepth) + $1.tokens) }
    }

    /// The number of threads that the processor computes with; nil if the model is on a device.
    package var threads: Int? { (backend as? CPUBackend)?.threads }

    /// Runs each test `repetitions` times, in turn, after one round that is not counted. It warms up caches, clocks and
    /// branch predictors.
    ///
    /// - Parameter progress: Called before each run with the fraction done and the name of the test.
    package func report(
        repetitions: Int, _ progress: (Double, String) -> Void = { _, _ in }
    ) throws(InferenceError) -> ModelReport {
        var seconds = [[Double]](repeating: [], count: tests.count)
        for round in 0...repetitions {
            for (index, test) in tests.enumerated() {
                progress(Double(round * tests.count + index) / Double((repetitions + 1) * tests.count), "\(test)")
                let time = try time(test)
                if round > 0 { seconds[index].append(time) }
            }
        }
        let device = backend as? any DeviceBackend
        return ModelReport(
            tests, seconds: seconds, kernels: (backend as? CPUBackend)?.kernels.name,
            copyRate: try device.map { device throws(InferenceError) in try device.copyRate() / 1e9 },
            commands: try device.map { device throws(InferenceError) in try commands(for: device) },
            recurrentState: model.configuration.recurrentState)
    }

    /// Seconds per run of `test`, the mean over as many runs as fill the shortest timing.
    private func time(_ test: Test) throws(InferenceError) -> Double {
        let clock = ContinuousClock()
        var total = Duration.zero
        var runs = 0
        repeat {
            // Tokens are a function of their positions, so the tokens before the test can stay from the last run.
            let depth = depth ?? test.usualDepth
            try sequence.forget(from: sequence.reusablePrefix(of: min(depth, sequence.count)))
            // Asking for logits waits until a device has finished its queued work, so that this work is not timed.
            try feed(depth - sequence.count, wantsLogits: true)
            let start = clock.now
            try run(test)
            total += clock.now - start
            runs += 1
        } while total < Self.shortestTiming
        return total.seconds / Double(runs)
    }

    /// The commands that `device` receives in a step of one row.
    private func commands(for device: any DeviceBackend) throws(InferenceError) -> DeviceCommandCounts {
        try sequence.forget(from: 0)
        let before = device.commandCounts
        try feed(1, wantsLogits: true)
        return device.commandCounts - before
    }

    private func run(_ test: Test) throws(InferenceError) {
        switch test {
        case .prompt(let n):
            try feed(n, wantsLogits: true)
        case .generate(let n):
            for _ in 0..<n { try feed(1, wantsLogits: true) }
        case .width(let n):
            let output = try model.evaluate(Segment(sequence, tokens(n), outputs: Array(0..<n), certainRows: 1))
            output.withLogits { _ in }
            // As many as drafts bring on the whole: recurrent layers compute their state for those that are kept.
            if n > 1 { try sequence.keep(rows: Array(0..<min(n, 3))) }
        case .tree(let n):
            let output = try model.evaluate(
                Segment(
                    sequence, tokens(n), parents: Self.parents(ofTreeOf: n), outputs: Array(0..<n), certainRows: 1))
            output.withLogits { _ in }
            if n > 1 { try sequence.keep(rows: [0, 1, 4].filter { $0 < n }) }
        }
    }

    /// The parents of the rows of a ``Test/tree(_:)``.
    package static func parents(ofTreeOf count: Int) -> [Int32] {
        (0..<count).map { row in
            switch row {
            case 0: -1
            case let row where row % 3 == 0: Int32(row - 1)
            // The main branch: rows 0, 1, 4, 7, …
            default: Int32(row <= 2 ? 0 : (row - 1) / 3 * 3 - 2)
            }
        }
    }

    /// Evaluates `count` tokens after those that the sequence has, in steps of the largest size.
    private func feed(_ count: Int, wantsLogits: Bool) throws(InferenceError) {
        guard count > 0 else { return }
        var left = count
        while left > 0 {
            let step = min(left, TransformerModel.stepRows)
            left -= step
            let outputs = wantsLogits && left == 0 ? [step - 1] : []
            try model.evaluate(Segment(sequence, tokens(step), outputs: outputs)).withLogits { _ in }
        }
    }

    /// Tokens scattered over the vocabulary. They depend on their positions only and are the same in every run.
    private func tokens(_ count: Int) -> [Int32] {
        (sequence.count..<sequence.count + count).map {
            Int32(truncatingIfNeeded: ($0 &* 7919 &+ 104_729) % vocabularySize)
        }
    }
}

/// The measured speeds of a model.
package struct ModelReport: Encodable, Sendable {
    /// The result of one test.
    package struct Row: Encodable, Sendable {
        package let test: String
        /// By the median time.
        package let tokensPerSecond: Double
        /// Half the range between the slowest and the fastest run, in tokens per second.
        package let spread: Double

        enum CodingKeys: String, CodingKey { case test, tokensPerSecond = "tokens_per_second", spread }
    }

    /// The instruction set of the kernels; nil for a device.
    package let kernels: String?
    /// 10⁹ bytes per second that the device reads and writes when it copies; nil for the processor.
    let copyRate: Double?
    /// Shaders that the device runs in a step of one row, and barriers between them; nil for the processor.
    let dispatches: Int?
    let barriers: Int?
    /// Bytes of one state of all recurrent layers, and what a row of a draft leaves until it is kept or rejected; nil for models without
    /// such layers.
    let stateBytes: Int?
    let draftRowBytes: Int?
    package let rows: [Row]
    /// Pairs [n, C(n)]: the rows of a step, and its time divided by the time of a step of one row. Empty if that was not
    /// timed.
    package let stepCost: [[Double]]
    /// The same for trees of n rows.
    package let treeCost: [[Double]]

    enum CodingKeys: String, CodingKey {
        case kernels, dispatches, barriers, rows
        case copyRate = "copy_gb_per_second"
        case stepCost = "step_cost", treeCost = "tree_cost"
        case stateBytes = "recurrent_state_bytes", draftRowBytes = "bytes_per_draft_row"
    }

    /// Summarises the times of `tests`.
    ///
    /// - Parameter seconds: For each test the seconds of each run, in any order; at least one.
    init(
        _ tests: [ModelBenchmark.Test], seconds: [[Double]], kernels: String?, copyRate: Double? = nil,
        commands: DeviceCommandCounts? = nil, recurrentState: (byteCount: Int, byteCountPerDraftRow: Int)? = nil
    ) {
        func median(_ sorted: [Double]) -> Double {
            (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        }
        let seconds = seconds.map { $0.sorted() }
        rows = zip(tests, seconds).map { test, seconds in
            let rates = seconds.map { Double(test.tokens) / $0 }
            return Row(
                test: "\(test)", tokensPerSecond: Double(test.tokens) / median(seconds),
                spread: (rates[0] - rates[rates.count - 1]) / 2)
        }
        var times: [(width: Int, seconds: Double)] = [], treeTimes: [(width: Int, seconds: Double)] = []
        for (test, seconds) in zip(tests, seconds) {
            if case .width(let width) = test { times.append((width, median(seconds))) }
            if case .tree(let width) = test { treeTimes.append((width, median(seconds))) }
        }
        let single = times.first { $0.width == 1 }?.seconds
        stepCost = single.map { single in times.map { [Double($0.width), $0.seconds / single] } } ?? []
        treeCost = single.map { single in treeTimes.map { [Double($0.width), $0.seconds / single] } } ?? []
        stateBytes = recurrentState?.byteCount
        draftRowBytes = recurrentState?.byteCountPerDraftRow
        self.kernels = kernels
        self.copyRate = copyRate
        dispatches = commands?.dispatches
        barriers = commands?.barriers
    }

    /// The measured rates and step costs, as ``RateRecord`` keeps them.
    package var rates: [RateRecord.Rate] {
        rows.map { RateRecord.Rate($0.test, $0.tokensPerSecond, "tokens/s") }
            + stepCost.map { RateRecord.Rate("step cost of width \(Int($0[0]))", $0[1], "steps of one row") }
            + treeCost.map { RateRecord.Rate("step cost of a tree of \(Int($0[0]))", $0[1], "steps of one row") }
    }

    /// One line per test, and lines about the device if there is one.
    package var text: String {
        let costs = Dictionary(
            stepCost.map { ("width-\(Int($0[0]))", $0[1]) } + treeCost.map { ("tree-\(Int($0[0]))", $0[1]) }
        ) { first, _ in first }
        let copies = copyRate.map { "the device copies at \(Format.decimal($0, 0)) GB/s\n" } ?? ""
        var commands = ""
        if let dispatches, let barriers {
            commands = "a step of one token is \(dispatches) dispatches with \(barriers) barriers\n"
        }
        var state = ""
        if let stateBytes, let draftRowBytes {
            state =
                "a recurrent state takes \(Format.bytes(stateBytes)), a row of a draft \(Format.bytes(draftRowBytes))\n"
        }
        return rows.map { row in
            let cost = costs[row.test].map { "   step cost \(Format.decimal($0, 2))" } ?? ""
            return Format.left(row.test, 14) + Format.right(Format.decimal(row.tokensPerSecond, 1), 10)
                + " ± \(Format.left(Format.decimal(row.spread, 1), 7)) tokens/s" + cost + "\n"
        }.joined() + state + commands + copies
    }
}
