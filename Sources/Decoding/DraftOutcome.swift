// The outcome of a draft in a step.

// Drafters read top tokens. The author of a drafter needs nothing else of the tensors module.
@_exported public import struct InferTensors.TopToken

/// The outcome of one step: which tokens joined the text, and the model's top tokens after each checked node.
public struct DraftOutcome: Sendable {
    /// The draft as the drafter made it, with the nodes that were not checked. Empty if there was none.
    public let tree: DraftTree
    /// The nodes that went through the model, in ascending order.
    public let checked: [Int]
    /// The tokens that joined the text, at least one: first those of ``accepted``, then at most one that was not drafted or not
    /// checked.
    public let tokens: [Int32]
    /// The checked nodes that were accepted, from the root downwards.
    public let accepted: [Int]
    /// The top tokens after the text before the step, and then after each of `checked`; empty unless the drafter wants them.
    let topTokenRows: [[TopToken]]

    /// The outcome of a step.
    ///
    /// - Parameters:
    ///   - tree: The draft as it was made.
    ///   - checked: The nodes that went through the model, in ascending order.
    ///   - tokens: The tokens that joined the text.
    ///   - topTokenRows: The top tokens after the text before the step, and after each of `checked`.
    public init(
        tree: DraftTree = DraftTree(), checked: [Int] = [], tokens: [Int32], topTokenRows: [[TopToken]] = []
    ) {
        self.tree = tree
        self.checked = checked
        self.tokens = tokens
        self.topTokenRows = topTokenRows
        var accepted: [Int] = []
        var node = DraftTree.root
        var rest = checked[...]
        for token in tokens {
            guard let child = tree.child(token, of: node), let place = rest.firstIndex(of: child) else { break }
            rest = rest[(place + 1)...]
            accepted.append(child)
            node = child
        }
        self.accepted = accepted
    }

    /// The model's top tokens after `node`, largest logit first, as many as the drafter wants. After ``DraftTree/root``: those
    /// from which the first of ``tokens`` was chosen. Empty for a node that was not checked. Logits are the model's own: sampling
    /// options have not changed them.
    public func topTokens(after node: Int) -> [TopToken] {
        let row = node < 0 ? 0 : checked.firstIndex(of: node).map { $0 + 1 }
        guard let row, topTokenRows.indices.contains(row) else { return [] }
        return topTokenRows[row]
    }

    /// The nodes whose parent is part of the text, checked or not, and whether they are part of the text too.
    public var verdicts: [(node: Int, isRight: Bool)] {
        var verdicts: [(node: Int, isRight: Bool)] = []
        var node = DraftTree.root
        for token in tokens {
            var next: Int?
            for child in tree.children(of: node) {
                let isRight = tree.tokens[child] == token
                verdicts.append((child, isRight))
                if isRight { next = child }
            }
            guard let next else { break }
            node = next
        }
        return verdicts
    }
}
