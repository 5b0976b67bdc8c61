// Choosing the next token from a row of logits.

package import Tensors

/// Chooses tokens. A choice is a pure function of the logits, the position, the tokens before it and the options: there is no
/// state, so that a position visited by a draft and one visited by a plain step draw the same.
package struct Sampler: Sendable {
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

    private let options: SamplingOptions

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
        let changes = adjustments(of: logits, history: history)
        guard !changes.isEmpty else { return choose(from: logits, position: position) }
        var adjusted = Array(logits)
        for (token, logit) in changes { adjusted[Int(token)] = logit }
        return adjusted.withUnsafeBufferPointer { choose(from: $0, position: position) }
    }

    private func choose(from logits: UnsafeBufferPointer<Float>, position: Int) -> Int32? {
        guard options.temperature > 0 else { return logits.argMax.map { Int32(truncatingIfNeeded: $0) } }
        guard var set = CandidateSet(logits, topK: options.topK) else { return nil }
        if options.topP < 1 { set.keepNucleus(options.topP) }
        if options.minP > 0 { set.keepLikely(options.minP) }
        return draw(from: set, position: position)
    }

    private func draw(from set: CandidateSet, position: Int) -> Int32? {
        let uniform = Philox.uniform(seed: options.seed, position: position)
        return set.draw(temperature: options.temperature, uniform: uniform)
    }

    // MARK: From the likeliest tokens

    /// How many of a row's likeliest tokens nearly always suffice for a choice; 0 where only the whole row ever does.
    package var likeliestWanted: Int {
        guard !penalises, options.logitBias.values.allSatisfy({ $0 == -.infinity }) else { return 0 }
        // Those that are forbidden may be the likeliest.
        let (most, forbidden) = (LikeliestTokens.largestCount, options.logitBias.count)
        if options.temperature == 0 { return forbidden < most ? 1 + forbidden : 0 }
        if options.topK > 0, options.topK <= most - forbidden { return options.topK + forbidden }
        return options.topP == 1 && options.minP > 0 ? most : 0
    }

    /// Chooses the token at `position` as from the whole row.
    ///
    /// - Parameters:
    ///   - likeliest: The row's likeliest tokens, likeliest first.
    ///   - isComplete: Whether no others can be chosen.
    ///   - position: As for a whole row.
    package func choose(among likeliest: [Candidate], isComplete: Bool, position: Int) -> Choice {
        guard likeliestWanted > 0 else { return .undecided }
        let allowed = likeliest.filter { options.logitBias[$0.token] == nil }
        let isShort = options.topK == 0 || options.topK > allowed.count
        guard options.temperature > 0 else {
            return allowed.isEmpty && !isComplete ? .undecided : Choice(allowed.first?.token)
        }
        guard var set = CandidateSet(allowed.prefix(isShort ? allowed.count : options.topK)) else {
            return isComplete ? .none : .undecided
        }
        if isShort && !isComplete {
            // The others are less likely than all of these: once min-p drops one of these, it drops them too.
            guard options.topP == 1, options.minP > 0 else { return .undecided }
            set.keepLikely(options.minP)
            guard set.candidates.count < allowed.count else { return .undecided }
        } else {
            if options.topP < 1 { set.keepNucleus(options.topP) }
            if options.minP > 0 { set.keepLikely(options.minP) }
        }
        return Choice(draw(from: set, position: position))
    }

    private var penalises: Bool {
        options.repeatPenalty != 1 || options.frequencyPenalty != 0 || options.presencePenalty != 0
    }

    /// The logits that bias and penalties change, as they are afterwards.
    private func adjustments(
        of logits: UnsafeBufferPointer<Float>, history: ArraySlice<Int32>
    ) -> [Int32: Float] {
        var changes: [Int32: Float] = [:]
        for (token, bias) in options.logitBias where logits.indices.contains(Int(token)) {
            changes[token] = logits[Int(token)] + bias
        }
        guard penalises else { return changes }
        var counts: [Int32: Int] = [:]
        for token in history.suffix(options.penaltyWindow) where logits.indices.contains(Int(token)) {
            counts[token, default: 0] += 1
        }
        for (token, count) in counts {
            var logit = changes[token] ?? logits[Int(token)]
            logit = logit <= 0 ? logit * options.repeatPenalty : logit / options.repeatPenalty
            changes[token] = logit - (Float(count) * options.frequencyPenalty + options.presencePenalty)
        }
        return changes
    }
}
