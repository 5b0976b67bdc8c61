// Why a generation ended.

/// Why a generation ended. The set is open: a `switch` over it needs a default.
public struct FinishReason: Hashable, Sendable, CustomStringConvertible {
    /// The reason's name, as in the source.
    public let description: String

    /// The model chose a token that ends the text.
    public static let endOfText = FinishReason(description: "endOfText")
    /// A stop string appeared.
    public static let stopString = FinishReason(description: "stopString")
    /// ``GenerationOptions/maximumTokens`` were generated.
    public static let length = FinishReason(description: "length")
    /// The context holds no further token.
    public static let contextFull = FinishReason(description: "contextFull")
    /// The surrounding task was cancelled.
    public static let cancelled = FinishReason(description: "cancelled")
}
