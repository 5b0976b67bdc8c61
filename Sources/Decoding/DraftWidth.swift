// How many guesses a step checks.

/// How many nodes of a draft go through the model.
package enum DraftWidth: Sendable, Hashable {
    /// As many as pay, by their values and what steps cost.
    case automatic
    /// Likewise, but the drafter is asked before every step, whether that pays or not.
    case eager
    /// So many, if there are so many; the most valuable ones.
    case fixed(Int)
}
