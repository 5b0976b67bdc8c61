// Rating given tokens, as `logprobs` and `perplexity` do.

import InferDecoding
import InferSupport
import InferTransformer
import SwiftInfer

/// Runs texts through a model and lends the predictions on the way.
struct Scorer {
    /// Longest text; beyond it, sizes in bytes could overflow.
    static let largestCapacity = 1 << 30
    /// Bounds the logits of one step, which are kept whole: 64 MiB.
    private static let maximumLogits = 1 << 24

    private let model: TransformerModel
    private let sequence: SequenceState
    private let vocabularySize: Int
    private let stepLength: Int

    /// A scorer of texts of up to `capacity` tokens.
    init(_ model: Model, capacity: Int, cacheType: KVCacheType) throws(InferenceError) {
        self.model = model.transformer
        vocabularySize = model.transformer.configuration.vocabularySize
        stepLength = min(512, max(1, Self.maximumLogits / max(vocabularySize, 1)))
        sequence = try model.transformer.makeSequence(capacity: capacity, cacheType: cacheType)
    }

    /// Evaluates `tokens` as a text of their own and calls `body` with each position from `first` on, ascending, and the
    /// distribution of the token that follows it.
    func score(
        _ tokens: [TokenID], from first: Int, _ body: (_ position: Int, _ next: LogProbabilities) -> Void
    ) throws(InferenceError) {
        try sequence.forget(from: 0)
        for start in stride(from: 0, to: tokens.count, by: stepLength) {
            let step = tokens[start..<min(start + stepLength, tokens.count)]
            let outputs = Array(max(first - start, 0)..<max(first - start, step.count))
            let output = try model.evaluate(Segment(sequence, Array(step), outputs: outputs))
            output.withLogits { logits in
                for (row, output) in outputs.enumerated() {
                    let values = logits[row * vocabularySize..<(row + 1) * vocabularySize]
                    body(start + output, LogProbabilities(UnsafeBufferPointer(rebasing: values)))
                }
            }
        }
    }
}
