// What a model is given to continue.

public import Tokenizers

/// What a generation continues. It is the whole context: a session whose tokens share a beginning with it does not evaluate
/// that beginning again.
public enum Prompt: Sendable {
    /// Text, to be continued as it is. Special tokens written out in it count as such; a beginning-of-text token is
    /// added where the model wants one.
    case text(String)
    /// Tokens, taken as they are.
    case tokens([TokenID])
    /// A conversation, rendered with the model's chat template; the model continues with the assistant's answer.
    case chat([ChatMessage])
    /// The text to put between `prefix` and `suffix`, with other files of the project as context, the closest last.
    case infill(prefix: String, suffix: String, context: [SourceFile] = [])
}
