// The statistics of a generation: counts, times and the reason why it ended.

public import InferDecoding
public import InferTokenizers

/// The statistics of one generation, or of all that an answer in a ``Chat`` took. They are complete when it has finished.
///
/// Durations are those of the engine's own work, without the time between two calls of the consumer. The time of a step that
/// several sequences share counts for each of them.
public struct Statistics: Sendable {
    /// Why the generation ended.
    public internal(set) var finishReason = FinishReason.cancelled
    /// The stop string that ended the generation, if one did.
    public internal(set) var stopString: String?
    /// The number of tokens of the prompt.
    public internal(set) var promptTokens = 0
    /// The number of prompt tokens that were not evaluated again, because the session still had their state.
    public internal(set) var reusedTokens = 0
    /// The generated tokens, in order. A token that ended the text is included as the last.
    public internal(set) var tokens: [TokenID] = []
    /// The number of steps after the prompt. Without drafting each gives one token. The first token comes from the prompt's step.
    public internal(set) var steps = 0
    /// The statistics of drafting.
    public internal(set) var draft = DraftStatistics()
    /// The time that the request waited for a sequence; zero for those of a session.
    public internal(set) var queueDuration = Duration.zero
    /// The time of evaluating the prompt.
    public internal(set) var promptDuration = Duration.zero
    /// The time of generating after the prompt.
    public internal(set) var decodeDuration = Duration.zero
    /// A hash over all logits rows from which a token was chosen, in order; nil unless ``GenerationOptions/hashesLogits`` is true.
    public internal(set) var logitsHash: UInt64?

    /// For each of ``tokens``, the value of ``decodeDuration`` when it was known.
    package internal(set) var tokenTimes: [Duration] = []
    /// The hash of each of those rows, in order.
    package internal(set) var rowHashes: [UInt64] = []
    /// The number of ``tokens`` that come from the step of a prompt: one for each generation.
    private var firstTokens = 1

    /// The statistics of a generation that has not begun.
    package init() {}

    /// Evaluated prompt tokens per second; nil if none were evaluated.
    public var promptTokensPerSecond: Double? { rate(promptTokens - reusedTokens, promptDuration) }

    /// Tokens per second, without the first token, which comes from the prompt's step; nil if there was only one token.
    public var decodeTokensPerSecond: Double? { rate(tokens.count - firstTokens, decodeDuration) }

    /// The mean number of tokens of a step after the prompt; nil if there was no step.
    public var tokensPerStep: Double? { steps > 0 ? Double(tokens.count - firstTokens) / Double(steps) : nil }

    /// Records the current time for new tokens.
    mutating func noteTokenTimes() {
        while tokenTimes.count < tokens.count { tokenTimes.append(decodeDuration) }
    }

    /// Adds the statistics of a generation that went on with the same answer.
    mutating func append(_ next: Statistics) {
        (finishReason, stopString) = (next.finishReason, next.stopString)
        promptTokens += next.promptTokens
        reusedTokens += next.reusedTokens
        tokenTimes += next.tokenTimes.map { decodeDuration + $0 }
        tokens += next.tokens
        if !next.tokens.isEmpty { firstTokens += next.firstTokens }
        steps += next.steps
        draft.add(next.draft)
        queueDuration += next.queueDuration
        promptDuration += next.promptDuration
        decodeDuration += next.decodeDuration
        rowHashes += next.rowHashes
        guard logitsHash != nil else { return }
        var hash = LogitsHash()
        for row in rowHashes { hash.append(rowHash: row) }
        logitsHash = hash.value
    }

    private func rate(_ count: Int, _ duration: Duration) -> Double? {
        let seconds: Double = duration / .seconds(1)
        return count > 0 && seconds > 0 ? Double(count) / seconds : nil
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
    /// The context is full.
    public static let contextFull = FinishReason(description: "contextFull")
    /// A line began with less than ``GenerationOptions/minimumIndentation``.
    public static let indentation = FinishReason(description: "indentation")
    /// ``GenerationOptions/timeLimitAfterNewline`` was reached.
    public static let timeLimit = FinishReason(description: "timeLimit")
    /// The answer loops, and ``GenerationOptions/stopsLoops`` is set.
    public static let loop = FinishReason(description: "loop")
    /// The surrounding task was cancelled.
    public static let cancelled = FinishReason(description: "cancelled")
}
