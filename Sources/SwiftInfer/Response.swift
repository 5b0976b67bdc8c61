// A finished generation in one piece.

/// The whole answer to a prompt.
public struct Response: Sendable {
    /// The text, without stop strings and end-of-text tokens.
    public let text: String
    /// How it came about; ``Statistics/tokens`` are its tokens.
    public let statistics: Statistics
}
