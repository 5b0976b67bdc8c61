// The account of a generation: what it did, how long it took, and why it ended.

public import InferDecoding
public import InferTokenizers

/// The account of one generation, complete when it has finished.
///
/// Durations count the engine's own work, not the time a consumer takes between two events.
public struct Statistics: Sendable {
    /// Why the generation ended.
    public internal(set) var finishReason = FinishReason.cancelled
    /// Tokens of the prompt.
    public internal(set) var promptTokens = 0
    /// Those of them whose keys and values the session still had, so that they were not evaluated again.
    public internal(set) var reusedTokens = 0
    /// The tokens generated, in order; a token that ended the text is the last.
    public internal(set) var tokens: [TokenID] = []
    /// Forward steps after the prompt. Without drafting each gives one token; the first token comes from the prompt's step.
    public internal(set) var steps = 0
    /// What drafting did.
    public internal(set) var draft = DraftStatistics()
    /// Time spent evaluating the prompt.
    public internal(set) var promptDuration = Duration.zero
    /// Time spent generating after the prompt.
    public internal(set) var decodeDuration = Duration.zero
    /// A hash over every logits row a token was chosen from, in order, when ``GenerationOptions/hashesLogits`` asked for it.
    public internal(set) var logitsHash: UInt64?

    /// What ``decodeDuration`` was when each of ``tokens`` was known.
    package internal(set) var tokenTimes: [Duration] = []
    /// The hash of each of those rows, in order.
    package internal(set) var rowHashes: [UInt64] = []

    /// The account of a generation that has done nothing.
    package init() {}

    /// Evaluated prompt tokens per second; nil when none were evaluated.
    public var promptTokensPerSecond: Double? { rate(promptTokens - reusedTokens, promptDuration) }

    /// Tokens per second after the first, which the prompt's evaluation yields; nil when there was no second.
    public var decodeTokensPerSecond: Double? { rate(tokens.count - 1, decodeDuration) }

    /// Tokens that a forward step after the prompt gave on average; nil when there was no step.
    public var tokensPerStep: Double? { steps > 0 ? Double(tokens.count - 1) / Double(steps) : nil }

    /// Notes for the newest token that it is known by now.
    mutating func noteTokenTimes() {
        while tokenTimes.count < tokens.count { tokenTimes.append(decodeDuration) }
    }

    private func rate(_ count: Int, _ duration: Duration) -> Double? {
        count > 0 && duration > .zero ? Double(count) / (duration / .seconds(1)) : nil
    }
}

/// Why a generation ended. The set is open: a `switch` over it needs a default.
public struct FinishReason: Hashable, Sendable, CustomStringConvertible {
    /// The reason's name, as in the source.
    public let description: String

    /// The model chose a token that ends the text.
    public static let endOfText = FinishReason(description: "endOfText")
    /// A stop string appeared.
    public static let stopString = FinishReason(description: "stopString")
    /// ``GenerationOptions/maximumTokens`` were generated.
    public static let length = FinishReason(description: "length")
    /// The context holds no further token.
    public static let contextFull = FinishReason(description: "contextFull")
    /// The surrounding task was cancelled.
    public static let cancelled = FinishReason(description: "cancelled")
}
