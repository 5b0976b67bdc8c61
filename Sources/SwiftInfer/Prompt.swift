// Prompts and their tokens.

public import InferSupport
public import InferTemplates
public import InferTokenizers

/// The whole text that a generation continues. Tokens that a session has in common with the beginning of the prompt are not
/// evaluated again.
public enum Prompt: Sendable {
    /// Text that is continued as it is. A beginning-of-text token is added if the model expects one. Control tokens spelled in
    /// it, such as `<|im_end|>`, are text unless `parsesSpecialTokens` is true.
    case text(String, parsesSpecialTokens: Bool = false)
    /// Tokens that are continued as they are.
    case tokens([TokenID])
    /// A conversation, rendered with the model's chat template. The model continues with the assistant's answer. Control tokens
    /// spelled in a message are text unless `parsesSpecialTokens` is true.
    case chat([ChatMessage], options: ChatOptions = ChatOptions(), parsesSpecialTokens: Bool = false)
    /// A gap between `prefix` and `suffix`, which the model fills. Other files of the project are context, the most relevant last.
    /// Control tokens spelled in any of these are text.
    case infill(prefix: String, suffix: String, context: [SourceFile] = [])
}

extension Prompt: ExpressibleByStringInterpolation {
    /// Text that is continued as it is: ``text(_:parsesSpecialTokens:)``.
    public init(stringLiteral text: String) { self = .text(text) }
}

extension Model {
    /// The tokens of `prompt`, at least one.
    ///
    /// - Parameters:
    ///   - prompt: The prompt.
    ///   - limit: The maximum number of tokens of an infill prompt. Text further away from the gap is left out.
    /// - Throws: ``InferenceError``: `invalidArgument` for an unknown token, or for an empty prompt if the model has no
    ///   beginning-of-text token; `unsupportedTemplate` for a conversation if the model has no chat template
    ///   or one that cannot be executed; `refusedByTemplate` for a conversation that the template refuses;
    ///   `unsupportedTokenizer` for an infill prompt if the model has no tokens for it; `contextFull` if `limit` leaves no room
    ///   for these tokens.
    public func tokens(for prompt: Prompt, limit: Int = .max) throws(InferenceError) -> [TokenID] {
        let tokens: [TokenID]
        switch prompt {
        case .text(let text, let parsesSpecialTokens):
            tokens = encode(parsesSpecialTokens ? PromptText(mark: text) : PromptText(plain: text))
        case .tokens(let given):
            tokens = given
        case .chat(let messages, let options, let parsesSpecialTokens):
            let text = try chatTemplate.get().render(messages, options: options)
            tokens = encode(parsesSpecialTokens ? PromptText(mark: text.text) : text)
        case .infill(let prefix, let suffix, let context):
            tokens = try InfillPrompt(prefix: prefix, suffix: suffix, context: context)
                .tokens(for: tokenizer, limit: limit)
        }
        if let stranger = tokens.first(where: { !(0..<tokenizer.count).contains(Int($0)) }) {
            throw InferenceError(
                .invalidArgument, "token \(stranger) is outside the vocabulary of \(tokenizer.count)")
        }
        if !tokens.isEmpty { return tokens }
        guard let bos = tokenizer.bos else {
            throw InferenceError(
                .invalidArgument, "the prompt is empty, and the model has no beginning-of-text token to start from")
        }
        return [bos]
    }

    /// Divides the answer to a conversation into text, thoughts and tool calls.
    ///
    /// The answer has to be generated with ``GenerationOptions/includesControlTokens``, since many families mark calls with control
    /// tokens.
    ///
    /// - Throws: ``InferenceError``, as ``tokens(for:limit:)`` does for the conversation.
    public func answerParser(
        for messages: [ChatMessage], options: ChatOptions = ChatOptions()
    ) throws(InferenceError) -> AnswerParser {
        let template = try chatTemplate.get()
        let prompt = try template.render(messages, options: options)
        let callCount = messages.reduce(0) { $0 + $1.toolCalls.count }
        return AnswerParser(template: template, prompt: prompt, tools: options.tools, callCount: callCount)
    }

    /// A text that spells the beginning-of-text token at its start does not get a second one.
    private func encode(_ text: PromptText) -> [TokenID] {
        let tokens = tokenizer.encode(text, addSpecial: true)
        guard tokenizer.addsBOS, tokens.count > 1, tokens[0] == tokens[1], tokenizer.isControl(tokens[0]) else {
            return tokens
        }
        return Array(tokens.dropFirst())
    }
}
