// The tokens of the fill-in-the-middle format.

/// The tokens that mark the parts of a fill-in-the-middle prompt; nil where the vocabulary has none.
public struct InfillTokens: Sendable {
    /// Before the text that precedes the gap.
    public internal(set) var prefix: TokenID?
    /// Before the text that follows the gap.
    public internal(set) var suffix: TokenID?
    /// After both: the text for the gap follows.
    public internal(set) var middle: TokenID?
    /// Fills up a prompt.
    public internal(set) var padding: TokenID?
    /// Before the name of the repository.
    public internal(set) var repository: TokenID?
    /// Before the name of each file.
    public internal(set) var fileSeparator: TokenID?
}
