// The perplexity of a text.

import Foundation
package import InferSupport
package import SwiftInfer

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
