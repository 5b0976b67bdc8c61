// Token recycling: drafts the model's earlier top tokens after the same token.
//
// Rule: X. Luo et al., "Turning Trash into Treasure: Accelerating Inference of Large Language Models with Token
// Recycling" (arXiv 2408.08696), section 3. An adjacency matrix keeps for each token the model's 8 top tokens after it, from
// the last step that the token was in, accepted or not. The draft is a static tree of 80 nodes over the matrix. The matrix
// starts empty and survives from one text to the next. Nodes without an entry are left out, not filled with token 0.

import InferTensors

/// Drafts the model's latest top tokens after each token.
public final class TokenRecyclingDrafter: Drafter {
    /// A short name for reports.
    public let name = "token-recycling"

    /// The number of top tokens that the matrix keeps per token.
    public var topTokensWanted: Int { Self.width }

    /// Top tokens per token.
    private static let width = 8
    /// The assumed acceptance of a node by its rank.
    private static let acceptance: [Float] = [0.4, 0.12, 0.06, 0.04, 0.03, 0.02, 0.015, 0.01]

    /// Row t holds the top tokens after token t, largest logit first; −1 for none.
    private var successors: [Int32]
    private var last: Int32 = -1

    /// A drafter for a vocabulary of `vocabularySize` tokens.
    public init(vocabularySize: Int) {
        successors = Array(repeating: -1, count: max(0, vocabularySize) * Self.width)
    }

    /// Replaces the text by `tokens`.
    public func reset(to tokens: [Int32]) { last = tokens.last ?? -1 }

    /// Proposes continuations of the text.
    public func draft(into tree: inout DraftTree, limit: Int) {
        // The whole tree, even if `limit` is smaller: the engine checks the nodes of the highest values.
        // An absent node keeps its place in its layer, so that later counts belong to the right nodes.
        var layer: [Int?] = [DraftTree.root]
        for counts in RecyclingTemplate.childCounts {
            var next: [Int?] = []
            for (node, count) in zip(layer, counts) {
                let children = node.map { insertChildren(of: $0, count: count, into: &tree) } ?? []
                next += children as [Int?] + Array(repeating: nil, count: count - children.count)
            }
            layer = next
        }
    }

    /// Learns how the text went on.
    public func observe(_ outcome: DraftOutcome) {
        learn(outcome.topTokens(after: DraftTree.root), after: last)
        for node in outcome.checked {
            learn(outcome.topTokens(after: node), after: outcome.tree.tokens[node])
        }
        last = outcome.tokens.last ?? last
    }

    private func insertChildren(of node: Int, count: Int, into tree: inout DraftTree) -> [Int] {
        let token = node < 0 ? last : tree.tokens[node]
        guard let row = row(of: token) else { return [] }
        let value = node < 0 ? 1 : tree.values[node]
        var children: [Int] = []
        for (rank, successor) in successors[row].prefix(count).enumerated() where successor >= 0 {
            let child = tree.insert(
                successor, after: node, value: value * Self.acceptance[rank], tag: UInt16(rank))
            children.append(child)
        }
        return children
    }

    private func learn(_ topTokens: [TopToken], after token: Int32) {
        guard !topTokens.isEmpty, let row = row(of: token) else { return }
        for (index, slot) in row.enumerated() {
            successors[slot] = index < topTokens.count ? topTokens[index].token : -1
        }
    }

    private func row(of token: Int32) -> Range<Int>? {
        guard token >= 0, Int(token) < successors.count / Self.width else { return nil }
        return Int(token) * Self.width..<(Int(token) + 1) * Self.width
    }
}

/// The shape of the published tree of 80 nodes: 8, 21, 25, 15, 8 and 3 in its six layers.
enum RecyclingTemplate {
    /// For each layer, from the root, the number of children of each node. A node's children are the top tokens after its token, in
    /// order. (arXiv 2408.08696, section 3.2 and appendix; the public repository's template 2.2.2.)
    static let childCounts: [[Int]] = [
        [8],
        [8, 4, 3, 2, 1, 1, 1, 1],
        [8, 3, 2, 1, 1, 1, 1, 1, 2, 1, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0],
        [5, 2, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0],
        [3, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0],
        [2, 0, 0, 1, 0, 0, 0, 0],
    ]
}
