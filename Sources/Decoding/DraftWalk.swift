// The way down a draft, token by token, as the model chooses.

/// Follows the tokens chosen from the rows of a step: row 0 is the last token of the text, row i + 1 node i of the draft.
///
/// At each row one token is chosen from the row's logits. If a child of the row's node guessed it, the way goes on there, with
/// logits that are computed already; otherwise the step has given what it could.
package struct DraftWalk: Sendable {
    private let tree: DraftTree
    private var node = DraftTree.root
    /// The rows passed so far, from 0 on.
    package private(set) var rows = [0]

    /// A walk through `tree`, at its root.
    package init(_ tree: DraftTree) { self.tree = tree }

    /// Takes the token chosen from the last of ``rows``.
    ///
    /// - Returns: The row to choose the next token from; nil when `token` was not guessed.
    package mutating func follow(_ token: Int32) -> Int? {
        guard let child = tree.child(token, of: node) else { return nil }
        node = child
        rows.append(child + 1)
        return child + 1
    }
}
