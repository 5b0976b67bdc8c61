// Perplexity from the log-probabilities of single tokens.

import Foundation

/// Accumulates −ln p of scored tokens.
struct PerplexityEstimate {
    /// Number of tokens scored.
    private(set) var count = 0
    private var sum = 0.0
    private var sumOfSquares = 0.0

    /// Adds one token's −ln p.
    mutating func add(_ negativeLogLikelihood: Double) {
        count += 1
        sum += negativeLogLikelihood
        sumOfSquares += negativeLogLikelihood * negativeLogLikelihood
    }

    /// exp of the mean −ln p.
    var perplexity: Double { exp(sum / Double(count)) }

    /// The standard error of ``perplexity``, by propagation from that of the mean; NaN for fewer than two tokens.
    var standardError: Double {
        guard count > 1 else { return .nan }
        let mean = sum / Double(count)
        let variance = max(0, sumOfSquares / Double(count) - mean * mean)
        return perplexity * (variance / Double(count - 1)).squareRoot()
    }
}
