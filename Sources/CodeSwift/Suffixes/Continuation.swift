// A token that follows a pattern, and how often.

package import InferTokenizers

/// One way in which occurrences of a pattern go on.
package struct Continuation: Hashable, Sendable, BitwiseCopyable {
    /// The token that follows.
    package var token: TokenID
    /// How many of the occurrences it follows; estimated for patterns that occur often.
    package var count: Int
}
