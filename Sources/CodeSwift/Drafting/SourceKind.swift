// The kinds of places where drafts come from.

/// Where a guess was found. Kinds differ in how far a match can be trusted.
package enum SourceKind: Int, CaseIterable, Sendable, BitwiseCopyable {
    /// The working tree.
    case repository
    /// A corpus shared by many.
    case common
    /// The text itself: prompt and output so far.
    case context
    /// Earlier outputs of the model.
    case history
    /// The place in the text that is being rewritten.
    case cursor
    /// What the model itself thought likely after the same token.
    case preference
}
