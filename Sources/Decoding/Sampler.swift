// The choice of the next token from a row of logits, or from its top tokens.

package import InferTensors

/// Chooses tokens. A choice is a pure function of the logits, the position, the tokens before it and the options. A sampler has no
/// state, so a drafted position and a plainly decoded one give the same draw.
package struct Sampler: Sendable {
    let options: SamplingOptions

    /// A sampler that follows `options`, which are valid.
    package init(_ options: SamplingOptions) { self.options = options }

    /// Chooses the token at `position`.
    ///
    /// - Parameters:
    ///   - logits: One value per token. Tokens with NaN or −∞ are never chosen.
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

    /// Whether the choice is always the token with the largest logit of the row as it is.
    var takesLargest: Bool { options.temperature == 0 && !penalises && options.logitBias.isEmpty }

    var penalises: Bool {
        options.repeatPenalty != 1 || options.frequencyPenalty != 0 || options.presencePenalty != 0
    }

    /// The new logits of the tokens that bias and penalties change. Tokens that `logit` does not know are left out.
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

extension Sampler {
    /// The result of a choice from a row's top tokens.
    package enum Choice: Sendable, Hashable {
        /// This token.
        case token(Int32)
        /// No token can be chosen.
        case none
        /// The top tokens do not decide; the whole row is needed.
        case undecided

        fileprivate init(_ token: Int32?) { self = token.map(Choice.token) ?? .none }
    }

    /// The number of top tokens that nearly always suffice for a choice; 0 if only the whole row suffices.
    package var topTokensWanted: Int {
        guard onlyLowers else { return 0 }
        let most = TopTokenBuffers.largestCount
        // The lowered tokens may be the largest ones and fall behind others.
        let lowered = min(options.logitBias.count + (penalises ? min(options.penaltyWindow, most) : 0), most)
        if options.temperature == 0 { return min(1 + lowered, most) }
        if options.topK > 0, options.topK <= most { return min(options.topK + lowered, most) }
        return options.topP == 1 && options.minP > 0 ? most : 0
    }

    /// The factor of the logits in the ``SoftmaxSums`` with which up to ``TopTokenBuffers/largestCount`` top tokens nearly always
    /// suffice, although without sums they never do; nil if sums do not help.
    package var softmaxScale: Float? {
        guard options.temperature > 0, options.topK == 0, !penalises, options.logitBias.isEmpty else { return nil }
        if options.topP < 1 { return 1 }
        return options.minP > 0 ? nil : options.inverseTemperature
    }

    /// Whether neither bias nor penalties raise a logit.
    private var onlyLowers: Bool {
        options.repeatPenalty >= 1 && options.frequencyPenalty >= 0 && options.presencePenalty >= 0
            && options.logitBias.values.allSatisfy { $0 <= 0 }
    }

    /// Chooses the token at `position` from a row's top tokens. The result is the same as from the whole row.
    ///
    /// - Parameters:
    ///   - topTokens: The row's top tokens, largest logit first.
    ///   - isComplete: Whether no other token can be chosen.
    ///   - sums: The softmax's sums of the whole row, scaled by ``softmaxScale``; nil if unknown.
    ///   - position: The number of tokens before the chosen one.
    ///   - history: The tokens before it.
    package func choose(
        among topTokens: [TopToken], isComplete: Bool, sums: SoftmaxSums? = nil, position: Int,
        history: ArraySlice<Int32>
    ) -> Choice {
        if let sums, softmaxScale != nil, !isComplete {
            return choose(among: topTokens, sums, position: position)
        }
        guard topTokensWanted > 0 else { return .undecided }
        let known = adjusted(topTokens, isComplete: isComplete, history: history)
        guard options.temperature > 0 else {
            return known.isEmpty && !isComplete ? .undecided : Choice(known.first?.token)
        }
        let isShort = options.topK == 0 || options.topK > known.count
        guard var set = EligibleTokens(known.prefix(isShort ? known.count : options.topK)) else {
            return isComplete ? .none : .undecided
        }
        if isShort && !isComplete {
            // All other tokens have lower logits. If min-p drops one of these, it drops the others too.
            guard options.topP == 1, options.minP > 0 else { return .undecided }
            set.keepLikely(options.minP)
            guard set.tokens.count < known.count else { return .undecided }
        } else {
            if options.topP < 1 { set.keepNucleus(options.topP) }
            if options.minP > 0 { set.keepLikely(options.minP) }
        }
        return Choice(draw(from: set, position: position))
    }

    /// Chooses from a part of the row and the sums over the whole row.
    private func choose(among topTokens: [TopToken], _ sums: SoftmaxSums, position: Int) -> Choice {
        guard let largest = topTokens.first?.logit, largest < .infinity, sums.total > 0, sums.total < .infinity,
            var set = EligibleTokens(topTokens)
        else { return .undecided }
        if options.topP < 1 {
            guard set.keepNucleus(options.topP, of: sums) else { return .undecided }
            if options.minP > 0 { set.keepLikely(options.minP) }
            return Choice(draw(from: set, position: position))
        }
        let uniform = Philox.uniform(seed: options.seed, position: position)
        let weights = topTokens.map { $0.weight(beside: largest, scale: options.inverseTemperature) }
        return sums.token(at: uniform, topTokens, weights: weights).map(Choice.token) ?? .undecided
    }

    /// The top tokens after bias and penalties, largest logit first, as far as they are certain. Tokens outside the list have lower
    /// logits than all in it, and are not raised.
    private func adjusted(
        _ topTokens: [TopToken], isComplete: Bool, history: ArraySlice<Int32>
    ) -> ArraySlice<TopToken> {
        guard penalises || !options.logitBias.isEmpty, let last = topTokens.last else { return topTokens[...] }
        let logits = Dictionary(topTokens.map { ($0.token, $0.logit) }) { first, _ in first }
        let changes = adjustments(history) { logits[$0] }
        var changed = topTokens.compactMap { top -> TopToken? in
            let logit = changes[top.token] ?? top.logit
            return logit > -.infinity ? TopToken(token: top.token, logit: logit) : nil
        }
        changed.sort(by: >)
        return isComplete ? changed[...] : changed.prefix { $0 >= last }
    }
}

extension SoftmaxSums {
    /// The token at which the cumulative probabilities, ids ascending, pass `uniform` of 0..<1; nil if it is not among
    /// `topTokens` or if the sums are not exact enough to tell.
    ///
    /// - Parameters:
    ///   - topTokens: The tokens that ``before`` refers to.
    ///   - weights: The numerators of their probabilities.
    func token(at uniform: Double, _ topTokens: [TopToken], weights: [Float]) -> Int32? {
        // The host's value differs by at most a slack from each of the two sums that are compared.
        let total = Double(total), slack = 2 * error * total, target = uniform * total
        for ((top, weight), before) in zip(zip(topTokens, weights), before) {
            let start = Double(before)
            if start + slack <= target, target + slack < start + Double(weight) { return top.token }
        }
        return nil
    }
}
