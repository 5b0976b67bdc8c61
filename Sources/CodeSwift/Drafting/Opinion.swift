// What one source thinks of one token.

import InferTokenizers

/// One source's opinion of one token at one place of a draft.
struct Opinion {
    var token: TokenID
    /// Which of the drafter's sources it is.
    var source: Int32
    var kind: SourceKind
    /// By the formula alone; what experience is counted against.
    var prior: Float
    /// Corrected by experience.
    var probability: Float
    var sort: AcceptanceTable.Sort
    var isBackOff: Bool
}
