// The options of sampling.

package import InferSupport

/// Options of sampling. The default is greedy: always the token with the largest logit.
///
/// They apply in the order of llama.cpp's default chain: ``logitBias``, penalties, ``topK``, ``topP``, ``minP``,
/// ``temperature``, then one draw.
public struct SamplingOptions: Sendable, Hashable {
    /// Divides the logits before the draw; 0 takes the token with the largest logit without a draw.
    public var temperature: Float = 0
    /// Keeps the `topK` most likely tokens; 0 keeps all.
    public var topK = 0
    /// Keeps the smallest set of most likely tokens whose probabilities add up to `topP` or more (nucleus sampling,
    /// arXiv 1904.09751); 1 keeps all.
    public var topP: Float = 1
    /// Keeps the tokens at least `minP` times as likely as the most likely one (arXiv 2407.01082); 0 keeps all.
    public var minP: Float = 0
    /// Divides positive and multiplies negative logits of tokens seen among the last ``penaltyWindow`` (arXiv 1909.05858);
    /// 1 changes nothing.
    public var repeatPenalty: Float = 1
    /// Subtracted from a token's logit once for each time it occurs among the last ``penaltyWindow``.
    public var frequencyPenalty: Float = 0
    /// Subtracted once from a token's logit if it occurs among the last ``penaltyWindow``.
    public var presencePenalty: Float = 0
    /// The number of latest tokens, prompt included, that the penalties apply to; 0 turns penalties off.
    public var penaltyWindow = 64
    /// Selects the sequence of draws. The same seed gives the same text, with or without drafting.
    public var seed: UInt64 = 0
    /// Added to single tokens' logits before anything else; −∞ forbids a token.
    public var logitBias: [Int32: Float] = [:]

    /// Greedy sampling.
    public init() {}

    /// The factor of the logits before the draw.
    var inverseTemperature: Float { min(1 / temperature, .greatestFiniteMagnitude) }

    /// Checks that every option has a meaningful value.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument`, naming the option.
    package func validate() throws(InferenceError) {
        func check(_ holds: Bool, _ rule: String) throws(InferenceError) {
            if !holds { throw InferenceError(.invalidArgument, rule) }
        }
        try check(temperature >= 0 && temperature.isFinite, "the temperature is \(temperature), but must be 0 or more")
        try check(topK >= 0, "top-k is \(topK), but must be 0 (off) or more")
        try check(topP > 0 && topP <= 1, "top-p is \(topP), but must be above 0 and at most 1 (off)")
        try check(minP >= 0 && minP <= 1, "min-p is \(minP), but must lie between 0 (off) and 1")
        try check(
            repeatPenalty > 0 && repeatPenalty.isFinite,
            "the repeat penalty is \(repeatPenalty), but must be above 0; 1 turns it off")
        try check(frequencyPenalty.isFinite, "the frequency penalty is not a finite number")
        try check(presencePenalty.isFinite, "the presence penalty is not a finite number")
        try check(penaltyWindow >= 0, "the penalty window is \(penaltyWindow) tokens, but must be 0 (off) or more")
        for (token, bias) in logitBias {
            try check(!bias.isNaN && bias != .infinity, "the logit bias of token \(token) is \(bias)")
        }
    }
}
