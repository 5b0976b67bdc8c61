// The tokens of the fill-in-the-middle format.

/// The tokens that mark the parts of a fill-in-the-middle prompt; nil where the vocabulary has none.
public struct InfillTokens: Sendable {
    /// How the parts follow each other.
    public enum Order: Sendable {
        /// Prefix, suffix, then the mark of the gap.
        case prefixSuffixMiddle
        /// Suffix, prefix, then the mark of the gap.
        case suffixPrefixMiddle
        /// Suffix, then prefix: the gap follows without a mark.
        case suffixThenPrefix
    }

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
    /// The order the model was trained with.
    public internal(set) var order = Order.prefixSuffixMiddle
    /// Whether the name of the file with the gap stands in the prefix rather than before its mark (StarCoder2).
    var namesFileInPrefix = false
}
