// The options of a generation.

public import InferDecoding
import InferSupport
package import InferTokenizers

/// Options of one generation.
public struct GenerationOptions: Sendable, Hashable {
    /// The maximum number of tokens to generate; nil for as many as the context holds. 0 only evaluates the prompt.
    public var maximumTokens: Int?
    /// The options of sampling.
    public var sampling = SamplingOptions()
    /// Texts that end the generation where they appear, even within a token. They are not part of the answer.
    public var stop: [String] = []
    /// Whether tokens that end the text are never chosen, so that only the other limits stop the generation.
    public var ignoresEndOfText = false
    /// Whether the text has the spelling of control tokens, for ``AnswerParser``.
    public var includesControlTokens = false
    /// Whether to compute ``Statistics/logitsHash``.
    public var hashesLogits = false
    /// Whether to use the session's drafter, if it has one. This changes only the speed.
    public var usesDrafter = true
    /// The number of draft nodes that a step checks.
    package var draftWidth = DraftWidth.automatic
    /// The tokens of the answer, in place of the drawn ones: a replay. It takes the time of a model that gives this answer. The
    /// generation ends after them.
    package var forcedTokens: [TokenID]?

    /// Greedy generation until the model ends its text.
    public init() {}

    /// Greedy generation of at most `maximumTokens` tokens.
    public init(maximumTokens: Int?, sampling: SamplingOptions = .init(), stop: [String] = []) {
        self.maximumTokens = maximumTokens
        self.sampling = sampling
        self.stop = stop
    }

    /// - Throws: ``InferenceError`` with `invalidArgument`, naming the option.
    func validate() throws(InferenceError) {
        try sampling.validate()
        if let maximumTokens, maximumTokens < 0 {
            throw InferenceError(.invalidArgument, "the number of tokens to generate is \(maximumTokens)")
        }
        if stop.contains("") { throw InferenceError(.invalidArgument, "a stop string is empty") }
    }
}
