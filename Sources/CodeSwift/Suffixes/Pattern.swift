// Occurrences of a token sequence in the parts of a store.

/// A sequence of tokens that occurs in a ``StoreSearch``.
struct Pattern: BitwiseCopyable {
    /// By which it is known.
    var hash: UInt64
    /// Where its spans are.
    var spans: Int
    /// Number of spans, one for each part that it occurs in.
    var spanCount: Int32
    /// Number of tokens.
    var length: Int32
    /// Number of occurrences in all parts.
    var count: Int

    /// The suffixes of one part that begin with a pattern.
    struct Span: BitwiseCopyable {
        var part: Int32
        var lower: UInt32
        var upper: UInt32

        var count: Int { Int(upper - lower) }
    }
}
