// The options of a generation.

public import InferDecoding
public import InferGrammar
import InferSupport
package import InferTokenizers

/// Options of one generation.
public struct GenerationOptions: Sendable, Hashable {
    /// The maximum number of tokens to generate; nil for as many as the context holds. 0 only evaluates the prompt.
    public var maximumTokens: Int?
    /// The options of sampling.
    public var sampling = SamplingOptions()
    /// What the answer may be; nil for any text. Tokens that the grammar forbids are never chosen, as if their logits were −∞ before all
    /// options of sampling. A token that ends the text is allowed only where the answer is complete, and the generation ends when nothing
    /// else can follow. An answer that another limit ends is the beginning of one that the grammar allows.
    public var grammar: Grammar?
    /// What changes the logits before a token is chosen, one after the other: before ``grammar`` and all options of sampling.
    public var logitProcessors: [any LogitProcessor] {
        get { processors.list }
        set { processors.list = newValue }
    }
    var processors = LogitProcessors()
    /// Texts that end the generation where they appear, even within a token. They are not part of the answer.
    public var stop: [String] = []
    /// Whether tokens that end the text are never chosen, so that only the other limits stop the generation.
    public var ignoresEndOfText = false
    /// Whether the generation ends when the answer loops: when its last tokens, at least 100, are one cycle of up to 512 tokens,
    /// repeated ten times.
    public var stopsLoops = false
    /// Whether the text has the spelling of control tokens, for ``AnswerParser``.
    public var includesControlTokens = false
    /// Whether there is an event for each token, too.
    public var reportsTokens = false
    /// The number of top tokens whose probabilities are reported with each token; 0 for that of the token alone, nil for none. The
    /// answer does not depend on it.
    public var topLogProbabilities: Int?
    /// The time after which the generation ends at the next token, if its text has a line break by then; nil for no limit. With a
    /// limit the length of the answer depends on the machine.
    public var timeLimitAfterNewline: Duration?
    /// The minimum number of spaces and tabs at the beginning of each line after the first. The generation ends before a line with
    /// fewer; blank lines do not count.
    public var minimumIndentation = 0
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

    /// The number of tokens of a context for `capacity` tokens that an infill prompt leaves to the answer.
    package func reservedTokens(of capacity: Int) -> Int { min(maximumTokens ?? 512, capacity / 4) }

    /// - Throws: ``InferenceError`` with `invalidArgument`, naming the option.
    func validate() throws(InferenceError) {
        try sampling.validate()
        if let maximumTokens, maximumTokens < 0 {
            throw InferenceError(.invalidArgument, "the number of tokens to generate is \(maximumTokens)")
        }
        if let count = topLogProbabilities, count < 0 {
            throw InferenceError(.invalidArgument, "the number of top log-probabilities is \(count)")
        }
        if grammar != nil, forcedTokens != nil {
            throw InferenceError(.invalidArgument, "a replay cannot follow a grammar")
        }
        if stop.contains("") { throw InferenceError(.invalidArgument, "a stop string is empty") }
    }
}
