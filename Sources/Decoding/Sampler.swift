// The choice of the next token from a row of logits, or from its top tokens.

package import InferTensors

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

extension Sampler {
    /// What the likeliest tokens of a row say of the choice.
    package enum Choice: Sendable, Hashable {
        /// This token.
        case token(Int32)
        /// None can be chosen.
        case none
        /// It takes the whole row.
        case undecided

        fileprivate init(_ token: Int32?) { self = token.map(Choice.token) ?? .none }
    }

    /// How many of a row's likeliest tokens nearly always suffice for a choice; 0 where only the whole row ever does.
    package var topTokensWanted: Int {
        guard onlyLowers else { return 0 }
        let most = TopTokenBuffers.largestCount
        // The tokens that are lowered may be the likeliest, and fall behind others.
        let lowered = min(options.logitBias.count + (penalises ? min(options.penaltyWindow, most) : 0), most)
        if options.temperature == 0 { return min(1 + lowered, most) }
        if options.topK > 0, options.topK <= most { return min(options.topK + lowered, most) }
        return options.topP == 1 && options.minP > 0 ? most : 0
    }

    /// What to multiply logits by in ``SoftmaxSums`` that let up to ``TopTokenBuffers/largestCount`` tokens suffice nearly always where
    /// alone they never do; nil where sums are of no use.
    package var softmaxScale: Float? {
        guard options.temperature > 0, options.topK == 0, !penalises, options.logitBias.isEmpty else { return nil }
        if options.topP < 1 { return 1 }
        return options.minP > 0 ? nil : options.inverseTemperature
    }

    /// Whether no logit is ever raised by a bias or a penalty.
    private var onlyLowers: Bool {
        options.repeatPenalty >= 1 && options.frequencyPenalty >= 0 && options.presencePenalty >= 0
            && options.logitBias.values.allSatisfy { $0 <= 0 }
    }

    /// Chooses the token at `position` as from the whole row.
    ///
    /// - Parameters:
    ///   - likeliest: The row's likeliest tokens, likeliest first.
    ///   - isComplete: Whether no others can be chosen.
    ///   - sums: Those of the whole row, scaled by ``softmaxScale``, where they are known.
    ///   - position: As for a whole row.
    ///   - history: As for a whole row.
    package func choose(
        among likeliest: [TopToken], isComplete: Bool, sums: SoftmaxSums? = nil, position: Int,
        history: ArraySlice<Int32>
    ) -> Choice {
        if let sums, softmaxScale != nil, !isComplete {
            return choose(among: likeliest, sums, position: position)
        }
        guard topTokensWanted > 0 else { return .undecided }
        let known = adjusted(likeliest, isComplete: isComplete, history: history)
        guard options.temperature > 0 else {
            return known.isEmpty && !isComplete ? .undecided : Choice(known.first?.token)
        }
        let isShort = options.topK == 0 || options.topK > known.count
        guard var set = EligibleTokens(known.prefix(isShort ? known.count : options.topK)) else {
            return isComplete ? .none : .undecided
        }
        if isShort && !isComplete {
            // The others are less likely than all of these: once min-p drops one of these, it drops them too.
            guard options.topP == 1, options.minP > 0 else { return .undecided }
            set.keepLikely(options.minP)
            guard set.tokens.count < known.count else { return .undecided }
        } else {
            if options.topP < 1 { set.keepNucleus(options.topP) }
            if options.minP > 0 { set.keepLikely(options.minP) }
        }
        return Choice(draw(from: set, position: position))
    }

    /// Chooses where no more than a part of the row is known, and what all of it adds up to.
    private func choose(among likeliest: [TopToken], _ sums: SoftmaxSums, position: Int) -> Choice {
        guard let largest = likeliest.first?.logit, largest < .infinity, sums.total > 0, sums.total < .infinity,
            var set = EligibleTokens(likeliest)
        else { return .undecided }
        if options.topP < 1 {
            guard set.keepNucleus(options.topP, of: sums) else { return .undecided }
            if options.minP > 0 { set.keepLikely(options.minP) }
            return Choice(draw(from: set, position: position))
        }
        let uniform = Philox.uniform(seed: options.seed, position: position)
        let weights = likeliest.map { $0.weight(beside: largest, scale: options.inverseTemperature) }
        return sums.token(at: uniform, likeliest, weights: weights).map(Choice.token) ?? .undecided
    }

    /// The likeliest tokens after bias and penalties, likeliest first, as far as these are certain: tokens outside the list
    /// were behind all of it and were not raised.
    private func adjusted(
        _ likeliest: [TopToken], isComplete: Bool, history: ArraySlice<Int32>
    ) -> ArraySlice<TopToken> {
        guard penalises || !options.logitBias.isEmpty, let last = likeliest.last else { return likeliest[...] }
        let logits = Dictionary(likeliest.map { ($0.token, $0.logit) }) { first, _ in first }
        let changes = adjustments(history) { logits[$0] }
        var changed = likeliest.compactMap { candidate -> TopToken? in
            let logit = changes[candidate.token] ?? candidate.logit
            return logit > -.infinity ? TopToken(token: candidate.token, logit: logit) : nil
        }
        changed.sort(by: >)
        return isComplete ? changed[...] : changed.prefix { $0 >= last }
    }
}

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
