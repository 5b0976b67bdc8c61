// How many guesses a step checks.

/// How many nodes of a draft go through the model.
package enum DraftWidth: Sendable, Hashable {
    /// As many as pay, by their values and what steps cost.
    case automatic
    /// So many, if there are so many; the most valuable ones.
    case fixed(Int)
}
