// Short ways to make a drafter draft and to see what it drafted.

import InferDecoding

extension Drafter {
    /// What the drafter drafts next.
    func draft(limit: Int = 64) -> DraftTree {
        var tree = DraftTree()
        draft(into: &tree, limit: limit)
        return tree
    }

    /// Tells the drafter that the text went on by `tokens` without a draft.
    func follow(_ tokens: [Int32]) { observe(DraftOutcome(tokens: tokens)) }
}

extension DraftTree {
    /// All paths from the root to a node without child, in order.
    var paths: [[Int32]] { nodes.filter { children(of: $0).isEmpty }.map(path) }
}
