// Choosing the next token from a row of logits.

/// Chooses tokens. A choice is a pure function of the logits, the position, the tokens before it and the options: there is no
/// state, so that a position visited by a draft and one visited by a plain step draw the same.
package struct Sampler: Sendable {
    let options: SamplingOptions

    /// A sampler that follows `options`, which are valid.
    package init(_ options: SamplingOptions) { self.options = options }

    /// Chooses the token at `position`.
    ///
    /// - Parameters:
    ///   - logits: One value per token that may be chosen. NaN and −∞ never are.
    ///   - position: The number of tokens before the chosen one; selects the draw.
    ///   - history: The tokens before it; only the latest ``SamplingOptions/penaltyWindow`` matter.
    /// - Returns: The token's id; nil when no logit allows a choice.
    package func sample(
        _ logits: UnsafeBufferPointer<Float>, position: Int, history: ArraySlice<Int32>
    ) -> Int32? {
        let changes = adjustments(history) { logits.indices.contains(Int($0)) ? logits[Int($0)] : nil }
        guard !changes.isEmpty else { return choose(from: logits, position: position) }
        var adjusted = Array(logits)
        for (token, logit) in changes { adjusted[Int(token)] = logit }
        return adjusted.withUnsafeBufferPointer { choose(from: $0, position: position) }
    }

    private func choose(from logits: UnsafeBufferPointer<Float>, position: Int) -> Int32? {
        guard options.temperature > 0 else { return logits.argMax.map { Int32(truncatingIfNeeded: $0) } }
        guard var set = EligibleTokens(logits, topK: options.topK) else { return nil }
        if options.topP < 1 { set.keepNucleus(options.topP) }
        if options.minP > 0 { set.keepLikely(options.minP) }
        return draw(from: set, position: position)
    }

    func draw(from set: EligibleTokens, position: Int) -> Int32? {
        set.draw(scale: options.inverseTemperature, uniform: Philox.uniform(seed: options.seed, position: position))
    }

    var penalises: Bool {
        options.repeatPenalty != 1 || options.frequencyPenalty != 0 || options.presencePenalty != 0
    }

    /// The logits that bias and penalties change, as they are afterwards, of those that `logit` knows.
    func adjustments(_ history: ArraySlice<Int32>, of logit: (_ token: Int32) -> Float?) -> [Int32: Float] {
        var changes: [Int32: Float] = [:]
        for (token, bias) in options.logitBias {
            if let known = logit(token) { changes[token] = known + bias }
        }
        guard penalises else { return changes }
        var counts: [Int32: Int] = [:]
        for token in history.suffix(options.penaltyWindow) { counts[token, default: 0] += 1 }
        for (token, count) in counts {
            guard var value = changes[token] ?? logit(token) else { continue }
            value = value <= 0 ? value * options.repeatPenalty : value / options.repeatPenalty
            changes[token] = value - (Float(count) * options.frequencyPenalty + options.presencePenalty)
        }
        return changes
    }
}
