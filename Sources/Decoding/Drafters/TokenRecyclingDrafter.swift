// Token recycling: what the model nearly chose after a token once is guessed when the token comes again.
//
// Rule: X. Luo et al., "Turning Trash into Treasure: Accelerating Inference of Large Language Models with Token
// Recycling" (arXiv 2408.08696), section 3: an adjacency matrix keeps for each token the model's 8 likeliest next
// tokens as they were when the token last went through the model, in an accepted place or not; the draft is a static
// tree of 80 nodes over it. The matrix starts empty and survives from one text to the next. Guesses it has no entry for
// are left out, not filled with token 0.

import InferTensors

/// Drafts along the model's own latest candidates after each token.
public final class TokenRecyclingDrafter: Drafter {
    /// A short name for reports.
    public let name = "token-recycling"

    /// The matrix keeps this many per token.
    public var topTokensWanted: Int { Self.width }

    /// Candidates per token.
    private static let width = 8
    /// The share of guesses that are right by their rank, where nothing is known yet.
    private static let acceptance: [Float] = [0.4, 0.12, 0.06, 0.04, 0.03, 0.02, 0.015, 0.01]

    /// Row t holds the candidates after token t, the likeliest first; −1 where there is none.
    private var successors: [Int32]
    private var last: Int32 = -1

    /// A drafter for a vocabulary of `vocabularySize` tokens.
    public init(vocabularySize: Int) {
        successors = Array(repeating: -1, count: max(0, vocabularySize) * Self.width)
    }

    /// Takes `tokens` as the text from now on.
    public func reset(to tokens: [Int32]) { last = tokens.last ?? -1 }

    /// Guesses how the text goes on.
    public func draft(into tree: inout DraftTree, limit: Int) {
        // All of the tree even where fewer nodes are of use: which these are, their values say.
        // An absent node keeps its place in its layer, so that the counts that follow meet their nodes.
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

    private func learn(_ candidates: [TopToken], after token: Int32) {
        guard !candidates.isEmpty, let row = row(of: token) else { return }
        for (index, slot) in row.enumerated() {
            successors[slot] = index < candidates.count ? candidates[index].token : -1
        }
    }

    private func row(of token: Int32) -> Range<Int>? {
        guard token >= 0, Int(token) < successors.count / Self.width else { return nil }
        return Int(token) * Self.width..<(Int(token) + 1) * Self.width
    }
}

/// The shape of the published tree of 80 nodes: 8, 21, 25, 15, 8 and 3 in its six layers.
enum RecyclingTemplate {
    /// For each layer, from the root, the numbers of children of its nodes in order; a node's children are its token's
    /// likeliest successors in order. (arXiv 2408.08696, section 3.2 and appendix; the public repository's template
    /// 2.2.2.)
    static let childCounts: [[Int]] = [
        [8],
        [8, 4, 3, 2, 1, 1, 1, 1],
        [8, 3, 2, 1, 1, 1, 1, 1, 2, 1, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0],
        [5, 2, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0],
        [3, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0],
        [2, 0, 0, 1, 0, 0, 0, 0],
    ]
}
