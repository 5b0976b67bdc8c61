// The guesses for one step, and which of them are worth checking.

/// A draft, ready to go through the model.
package struct Draft: Sendable {
    /// All guesses, as the drafter made them.
    package let tree: DraftTree
    /// The nodes to check, in ascending order.
    package let checked: [Int]
    /// The tree of `checked` alone: its node i is node `checked[i]`.
    package let offered: DraftTree

    /// A draft of which `checked` go through the model.
    package init(tree: DraftTree, checked: [Int]) {
        self.tree = tree
        self.checked = checked
        offered = tree.restricted(to: checked)
    }

    /// No guesses.
    package init() { self.init(tree: DraftTree(), checked: []) }
}
