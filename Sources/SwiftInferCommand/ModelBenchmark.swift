// How fast a model runs: prompts, generation, and steps of several tokens at once.

import InferSupport
import InferTensors
import InferTransformer
import SwiftInfer

/// Times whole forward steps of a model on made-up tokens.
struct ModelBenchmark {
    /// One thing that is timed.
    enum Test: CustomStringConvertible {
        /// n tokens, logits of the last only (llama-bench's `pp`).
        case prompt(Int)
        /// n steps of one token (llama-bench's `tg`).
        case generate(Int)
        /// One step of n tokens, logits of all and nothing kept: what verifying a draft costs.
        case width(Int)

        var description: String {
            switch self {
            case .prompt(let n): "prompt-\(n)"
            case .generate(let n): "generate-\(n)"
            case .width(let n): "width-\(n)"
            }
        }

        /// Tokens that one run evaluates.
        var tokens: Int {
            switch self {
            case .prompt(let n), .generate(let n), .width(let n): n
            }
        }

        /// Tokens before it where nothing else is asked for: a draft always has some.
        fileprivate var usualDepth: Int { if case .width = self { ModelBenchmark.usualStepDepth } else { 0 } }
    }

    /// Tokens before a step whose width is timed, where nothing else is asked for.
    static let usualStepDepth = 64
    /// A run is repeated until this much time has passed, so that the clock's grain and a single hiccup count for little.
    private static let shortestTiming = Duration.milliseconds(60)

    private let model: TransformerModel
    private let sequence: SequenceState
    private let vocabularySize: Int
    private let depth: Int?

    /// A benchmark with room for every test of `tests`, each after `depth` tokens (llama-bench's `-d`).
    init(_ model: Model, _ tests: [Test], depth: Int?, cacheType: KVCacheType) throws(InferenceError) {
        self.depth = depth
        self.model = model.transformer
        sequence = try model.transformer.makeSequence(
            capacity: Self.capacity(of: tests, depth: depth), cacheType: cacheType)
        vocabularySize = model.transformer.configuration.vocabularySize
    }

    /// Tokens that the longest of `tests` takes, those before it included.
    static func capacity(of tests: [Test], depth: Int?) -> Int {
        tests.reduce(1) { max($0, (depth ?? $1.usualDepth) + $1.tokens) }
    }

    /// Seconds that one run of `test` takes, the mean over as many as fill the shortest timing.
    func time(_ test: Test) throws(InferenceError) -> Double {
        let clock = ContinuousClock()
        var total = Duration.zero
        var runs = 0
        repeat {
            // Tokens are a function of their positions, so what the last run left in front can stay.
            let depth = depth ?? test.usualDepth
            try sequence.forget(from: min(depth, sequence.count))
            // With logits, which a device that queues its work has to be done for: that is not to be timed.
            try feed(depth - sequence.count, wantsLogits: true)
            let start = clock.now
            try run(test)
            total += clock.now - start
            runs += 1
        } while total < Self.shortestTiming
        return total / .seconds(1) / Double(runs)
    }

    /// What `device`, which the model is on, is told in a step of one token.
    func commands(for device: any DeviceBackend) throws(InferenceError) -> DeviceCommandCounts {
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
            let output = try model.evaluate(Segment(sequence, tokens(n), outputs: Array(0..<n), isDraft: true))
            output.withLogits { _ in }
            try sequence.keep(rows: [])
        }
    }

    /// Evaluates `count` tokens after those the sequence has, step by step.
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

    /// Tokens scattered over the vocabulary, by their positions: the same in every run.
    private func tokens(_ count: Int) -> [Int32] {
        (sequence.count..<sequence.count + count).map {
            Int32(truncatingIfNeeded: ($0 &* 7919 &+ 104_729) % vocabularySize)
        }
    }
}
