// Scoring of given tokens, and the perplexity of a text.

import Foundation
package import InferDecoding
package import InferSupport
import InferTransformer
package import SwiftInfer

/// Evaluates texts and gives the distribution of the next token at each position.
package struct Scorer {
    /// The most tokens of a text. With more, sizes in bytes could overflow.
    package static let largestCapacity = 1 << 30
    /// The most logits of one step, which are all kept: 64 MiB.
    private static let maximumLogits = 1 << 24

    private let model: TransformerModel
    private let sequence: SequenceState
    private let vocabularySize: Int
    private let stepLength: Int

    /// Makes a scorer for texts of up to `capacity` tokens.
    package init(_ model: Model, capacity: Int, cacheType: KVCacheType) throws(InferenceError) {
        self.model = model.transformer
        vocabularySize = model.transformer.configuration.vocabularySize
        stepLength = min(512, max(1, Self.maximumLogits / max(vocabularySize, 1)))
        sequence = try model.transformer.makeSequence(capacity: capacity, cacheType: cacheType)
    }

    /// Evaluates `tokens` from an empty sequence. Calls `body` for each position from `first` on, ascending, with the
    /// distribution of the token after it.
    package func score(
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

/// The perplexity of scored tokens, from the sum of −ln p.
package struct PerplexityEstimate: Sendable {
    /// The number of scored tokens.
    package private(set) var count = 0
    private var sum = 0.0
    private var sumOfSquares = 0.0

    /// No tokens.
    package init() {}

    /// Measures how well `scorer` predicts the second half of each chunk of a text, like llama.cpp's llama-perplexity.
    /// The first token of each chunk is replaced by the beginning-of-text token if the model expects one.
    ///
    /// - Parameters:
    ///   - tokens: The text: at least `chunks` times `length` tokens.
    ///   - length: Tokens per chunk.
    ///   - progress: Called after each chunk with the number of chunks done and the estimate so far.
    package init(
        _ tokens: [TokenID], chunks: Int, of length: Int, _ scorer: Scorer, _ tokenizer: Tokenizer,
        progress: (Int, PerplexityEstimate) -> Void = { _, _ in }
    ) throws(InferenceError) {
        for chunk in 0..<chunks {
            var window = Array(tokens[chunk * length..<(chunk + 1) * length])
            if tokenizer.addsBOS, let bos = tokenizer.bos { window[0] = bos }
            var estimate = self
            try scorer.score(window, from: length / 2) { position, next in
                guard position + 1 < window.count else { return }
                estimate.add(-next[window[position + 1]])
            }
            self = estimate
            progress(chunk + 1, self)
        }
    }

    /// Adds one token's −ln p.
    package mutating func add(_ negativeLogLikelihood: Double) {
        count += 1
        sum += negativeLogLikelihood
        sumOfSquares += negativeLogLikelihood * negativeLogLikelihood
    }

    /// exp of the mean −ln p.
    package var perplexity: Double { exp(sum / Double(count)) }

    /// The standard error of ``perplexity``, propagated from the standard error of the mean; NaN for fewer than two tokens.
    package var standardError: Double {
        guard count > 1 else { return .nan }
        let mean = sum / Double(count)
        let variance = max(0, sumOfSquares / Double(count) - mean * mean)
        return perplexity * (variance / Double(count - 1)).squareRoot()
    }
}
