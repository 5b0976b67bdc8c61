// Drafters that know the answer, to test the exactness promise with drafts of every kind.

/// Drafts by a rule from the text of a generation without drafting. So it is known beforehand which nodes are accepted.
package final class ProbeDrafter: Drafter {
    /// A rule to draft by.
    package enum Rule: String, Sendable, CaseIterable {
        /// A chain of the tokens that follow.
        case right
        /// A chain of other tokens.
        case wrong
        /// A tree that grows at random places. Half of the nodes whose parents are right are right too.
        case random
        /// As many siblings as possible, the right one among them, then as many below that one.
        case widest
    }

    package let name: String
    /// Makes the model return top tokens at every checked node, so that this path is tested too.
    package let topTokensWanted = 2

    private let rule: Rule
    private let text: [Int32]
    private let tokenCount: Int32
    private var position = 0
    private var state: UInt64

    /// A drafter for a generation that will give `text`, prompt included, in a vocabulary of `tokenCount` tokens, at least 2.
    package init(_ rule: Rule, text: [Int32], tokenCount: Int, seed: UInt64 = 1) {
        name = rule.rawValue
        self.rule = rule
        self.text = text
        self.tokenCount = Int32(clamping: max(2, tokenCount))
        state = seed
    }

    package func reset(to tokens: [Int32]) { position = tokens.count }

    package func observe(_ outcome: DraftOutcome) { position += outcome.tokens.count }

    package func draft(into tree: inout DraftTree, limit: Int) {
        switch rule {
        case .right: tree.insert(chain: text.dropFirst(position).prefix(limit), acceptance: 0.99)
        case .wrong:
            tree.insert(chain: (0..<limit).map { other(than: rightToken(depth: $0)) }, acceptance: 0.99)
        case .random: draftRandomly(into: &tree, limit: limit)
        case .widest: draftWidely(into: &tree, limit: limit)
        }
    }

    private func draftRandomly(into tree: inout DraftTree, limit: Int) {
        // For each node, whether it and all its ancestors are right.
        var isRight: [Bool] = []
        for _ in 0..<limit {
            let parent = Int(next() % UInt64(tree.count + 1)) - 1
            let depth = parent < 0 ? 0 : Int(tree.depths[parent]) + 1
            let right = rightToken(depth: depth)
            let follows = parent < 0 || isRight[parent]
            let token = follows && next() % 2 == 0 ? right ?? other(than: nil) : other(than: right)
            let node = tree.insert(token, after: parent, value: parent < 0 ? 0.9 : 0.9 * tree.values[parent])
            if node == isRight.count { isRight.append(follows && token == right) }
        }
    }

    private func draftWidely(into tree: inout DraftTree, limit: Int) {
        var parent = DraftTree.root
        var room = limit
        var depth = 0
        while room > 0 {
            let siblings = (room + 1) / 2
            let right = rightToken(depth: depth)
            let place = Int(next() % UInt64(siblings))
            var rightNode: Int?
            let limit = parent < 0 ? 1 : tree.values[parent]
            for sibling in 0..<siblings {
                let isRight = sibling == place && right != nil
                let token = isRight ? right ?? 0 : other(than: right)
                // Siblings are inserted before their children.
                let node = tree.insert(token, after: parent, value: limit * (1 - 0.001 * Float(sibling)))
                if isRight { rightNode = node }
            }
            room -= siblings
            depth += 1
            guard let rightNode else { return }
            parent = rightNode
        }
    }

    /// The text's token `depth` places after the current position; nil beyond the end of the text.
    private func rightToken(depth: Int) -> Int32? {
        let index = position + depth
        return index < text.count ? text[index] : nil
    }

    private func other(than token: Int32?) -> Int32 {
        let other = Int32(truncatingIfNeeded: next() % UInt64(tokenCount))
        return other == token ? (other + 1) % tokenCount : other
    }

    /// SplitMix64 (Steele et al., OOPSLA 2014).
    private func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
