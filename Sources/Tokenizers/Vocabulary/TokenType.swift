// What a vocabulary entry is for.

/// The kind of a token, as GGUF files number it (`tokenizer.ggml.token_type`).
public enum TokenType: Int, Sendable {
    /// None of the others.
    case undefined = 0
    /// Ordinary text.
    case normal = 1
    /// Stands for text the vocabulary cannot express.
    case unknown = 2
    /// Structure rather than text, such as the end of a turn.
    case control = 3
    /// Text that was added to the vocabulary whole and is matched before anything else.
    case userDefined = 4
    /// A placeholder that no text contains.
    case unused = 5
    /// A single byte, written `<0xAB>`.
    case byte = 6
}
