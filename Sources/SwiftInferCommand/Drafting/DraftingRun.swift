// What one drafter did with one task.

/// The account of an answer, without its first token, which the prompt's step gives.
struct DraftingRun: Sendable {
    /// Tokens after the first.
    var tokens = 0
    var steps = 0
    /// Guesses that were checked, and those that were right.
    var drafted = 0
    var accepted = 0
    /// Time spent in the drafter.
    var retrieval = Duration.zero
    /// What the steps took, in seconds or in plain steps; nil where nothing says what a step takes.
    var time: Double?
    /// The same for the tokens before the answer's first loop.
    var timeBeforeLoop: Double?
    /// Tokens within a loop.
    var loopTokens = 0
}
