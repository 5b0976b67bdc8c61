// What to generate, and when to stop.

public import InferDecoding
import InferSupport
package import InferTokenizers

/// The settings of one generation.
public struct GenerationOptions: Sendable, Hashable {
    /// Most tokens to generate; nil for as many as the context holds. 0 only evaluates the prompt.
    public var maximumTokens: Int?
    /// How tokens are chosen.
    public var sampling = SamplingOptions()
    /// Texts that end the generation where they appear, wherever token borders lie; they are not part of the answer.
    public var stop: [String] = []
    /// Never choose a token that ends the text, so that only the other limits stop the generation.
    public var ignoresEndOfText = false
    /// Put the spelling of control tokens into the text, for ``AnswerParser``.
    public var includesControlTokens = false
    /// Compute ``Statistics/logitsHash``.
    public var hashesLogits = false
    /// Use the session's drafter, if it has one. This changes the speed and nothing else.
    public var usesDrafter = true
    /// How many draft nodes a step checks.
    package var draftWidth = DraftWidth.automatic
    /// Tokens that the answer consists of, whatever is drawn: a replay, which takes the time that a model would take that gives
    /// this answer. The generation ends with them.
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
