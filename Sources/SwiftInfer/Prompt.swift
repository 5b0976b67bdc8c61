// What a model is given to continue.

public import InferTokenizers

/// What a generation continues. It is the whole context: a session whose tokens share a beginning with it does not evaluate
/// that beginning again.
public enum Prompt: Sendable {
    /// Text, to be continued as it is. A beginning-of-text token is added where the model wants one. Control tokens
    /// spelled in it, such as `<|im_end|>`, are text, unless `parsesSpecialTokens`.
    case text(String, parsesSpecialTokens: Bool = false)
    /// Tokens, taken as they are.
    case tokens([TokenID])
    /// A conversation, rendered with the model's chat template; the model continues with the assistant's answer.
    /// Control tokens spelled in a message are text, unless `parsesSpecialTokens`.
    case chat([ChatMessage], parsesSpecialTokens: Bool = false)
    /// The text to put between `prefix` and `suffix`, with other files of the project as context, the closest last.
    /// Control tokens spelled in any of them are text.
    case infill(prefix: String, suffix: String, context: [SourceFile] = [])
}
