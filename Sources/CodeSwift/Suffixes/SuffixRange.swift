// A set of occurrences in a suffix array.

/// The suffixes, neighbours in the suffix array, that begin with one and the same pattern.
package struct SuffixRange: Hashable, Sendable, BitwiseCopyable {
    /// Index of the first suffix.
    package var lower: Int
    /// Index after the last suffix.
    package var upper: Int
    /// Tokens in the pattern.
    package var length: Int

    /// Number of occurrences.
    package var count: Int { upper - lower }
}
