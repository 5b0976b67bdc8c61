// The log-probabilities of a row of logits.

import InferSupport
import InferTensors

/// The log-softmax of one logits row, in double precision. A token whose logit is NaN has probability 0.
package struct LogProbabilities {
    private let logits: UnsafeBufferPointer<Float>
    private let largest: Double
    /// ln Σ exp(logit − largest)
    private let logSum: Double

    /// The distribution of `logits`, which must outlive this value.
    package init(_ logits: UnsafeBufferPointer<Float>) {
        self.logits = logits
        largest = Double(logits.largest)
        var sum = 0.0
        if largest.isFinite {
            for logit in logits where logit > -.infinity { sum += exponential(Double(logit) - largest) }
        } else {
            // Several infinite logits share the probability.
            for logit in logits where logit == .infinity { sum += 1 }
        }
        logSum = logarithm(sum)
    }

    /// ln p(token); −∞ for one that cannot be chosen.
    package subscript(token: Int32) -> Double {
        let logit = logits[Int(token)]
        guard logit > -.infinity else { return -.infinity }
        return logit == .infinity ? -logSum : Double(logit) - largest - logSum
    }

    /// The `count` top tokens, largest logit first, lower ids first among equal logits.
    package func top(_ count: Int) -> [(token: Int32, logProbability: Float)] {
        guard count > 0 else { return [] }
        return EligibleTokens.top(count, of: logits).sorted(by: >).map { ($0.token, Float(self[$0.token])) }
    }
}
