// Token recycling: its tree's shape, and what fills it.

import InferDecoding
import Testing

@Suite struct TokenRecyclingTests {
    /// The eight tokens after `token` in a vocabulary where they are all known.
    private func successors(_ token: Int32) -> [TopToken] {
        (0..<8).map { TopToken(token: (token * 8 + $0) % 97, logit: Float(8 - $0)) }
    }

    @Test func fullTreeHasThePublishedShape() {
        let drafter = TokenRecyclingDrafter(vocabularySize: 97)
        drafter.reset(to: [0])
        for token in 0..<Int32(97) {
            let next: Int32 = token == 96 ? 5 : token + 1
            drafter.observe(DraftOutcome(tokens: [next], topTokenRows: [successors(token)]))
        }
        let tree = drafter.draft()
        #expect(tree.count == 80)
        #expect((0..<6).map { depth in tree.depths.count { $0 == Int32(depth) } } == [8, 21, 25, 15, 8, 3])
        #expect(tree.children(of: DraftTree.root).map { tree.tokens[$0] } == successors(5).map(\.token))
        for node in tree.nodes {
            let children = tree.children(of: node).map { tree.tokens[$0] }
            #expect(children == successors(tree.tokens[node]).prefix(children.count).map(\.token))
        }
    }

    @Test func learnsFromRejectedNodesToo() {
        let drafter = TokenRecyclingDrafter(vocabularySize: 100)
        drafter.reset(to: [1])
        var tree = DraftTree()
        tree.insert(2, value: 0.5)
        tree.insert(3, value: 0.4)
        let row = { (token: Int32) in [TopToken(token: token, logit: 1)] }
        drafter.observe(
            DraftOutcome(tree: tree, checked: [0, 1], tokens: [2, 3], topTokenRows: [row(2), row(3), row(4)]))
        // Node 3 was not accepted, but the top tokens after it are learned.
        #expect(drafter.draft().paths == [[4]])
    }

    @Test func latestTopTokensReplaceOlderOnes() {
        let drafter = TokenRecyclingDrafter(vocabularySize: 100)
        drafter.reset(to: [1])
        drafter.observe(
            DraftOutcome(tokens: [1], topTokenRows: [[.init(token: 5, logit: 2), .init(token: 6, logit: 1)]]))
        #expect(drafter.draft().paths == [[5], [6]])
        drafter.observe(DraftOutcome(tokens: [1], topTokenRows: [[.init(token: 7, logit: 2)]]))
        #expect(drafter.draft().paths == [[7]])
    }

    @Test func tokensOutsideTheVocabularyAreIgnored() {
        let drafter = TokenRecyclingDrafter(vocabularySize: 2)
        drafter.reset(to: [9])
        drafter.observe(DraftOutcome(tokens: [9], topTokenRows: [[.init(token: 1, logit: 1)]]))
        #expect(drafter.draft().isEmpty)
        drafter.reset(to: [])
        #expect(drafter.draft().isEmpty)
    }
}
