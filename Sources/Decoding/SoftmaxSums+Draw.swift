// Drawing a token by the sums of a softmax that are nearly known.

import InferTensors

extension SoftmaxSums {
    /// The token at which the cumulative probabilities, ids ascending, pass `uniform` of 0..<1; nil where it is none of `likeliest`, or
    /// these sums do not tell.
    ///
    /// - Parameters:
    ///   - likeliest: The tokens that ``before`` is about.
    ///   - weights: Their numerators.
    func token(at uniform: Double, _ likeliest: [TopToken], weights: [Float]) -> Int32? {
        // What the host finds differs by at most a slack from each of the two sums that are compared.
        let total = Double(total), slack = 2 * error * total, target = uniform * total
        for ((candidate, weight), before) in zip(zip(likeliest, weights), before) {
            let start = Double(before)
            if start + slack <= target, target + slack < start + Double(weight) { return candidate.token }
        }
        return nil
    }
}
