// Several drafters as one: a common tree, and to each its own outcome.

import InferDecoding
import Testing

@Suite struct CombinedDrafterTests {
    private let chain = ScriptedDrafter("chain", topTokensWanted: 1) { _, tree in
        tree.insert(chain: [1, 2, 3], acceptance: 0.5, tag: 7)
    }
    private let fork = ScriptedDrafter("fork") { _, tree in
        let one = tree.insert(1, value: 0.8, tag: 7)
        tree.insert(4, after: one, value: 0.7)
        tree.insert(2, after: one, value: 0.1)
    }

    @Test func draftsAreMerged() {
        let combined = CombinedDrafter([chain, fork])
        #expect(combined.name == "chain+fork")
        #expect(combined.topTokensWanted == 1)
        var tree = DraftTree()
        combined.draft(into: &tree, limit: 10)
        #expect(tree.tokens == [1, 2, 3, 4])
        #expect(tree.parents == [-1, 0, 1, 0])
        #expect(tree.values == [0.8, 0.25, 0.125, 0.7])
        // The same tag of another drafter is another tag.
        var alone = DraftTree()
        chain.draft(into: &alone, limit: 10)
        #expect(tree.tags[0] != alone.tags[0])
        #expect(tree.tags[1] == alone.tags[1])
    }

    @Test func eachLearnsTheOutcomeOfItsOwnNodes() throws {
        let combined = CombinedDrafter([chain, fork])
        combined.reset(to: [0])
        var tree = DraftTree()
        combined.draft(into: &tree, limit: 10)
        let rows = (10..<13).map { [TopToken(token: $0, logit: 0), .init(token: 99, logit: -1)] }
        combined.observe(DraftOutcome(tree: tree, checked: [0, 3], tokens: [1, 4, 5], topTokenRows: rows))
        let first = try #require(chain.outcomes.last)
        #expect(first.tree.tokens == [1, 2, 3])
        #expect(first.checked == [0])
        #expect(first.accepted == [0])
        #expect(first.topTokens(after: DraftTree.root).map(\.token) == [10])
        #expect(first.topTokens(after: 0).map(\.token) == [11])
        let second = try #require(fork.outcomes.last)
        #expect(second.tree.tokens == [1, 4, 2])
        #expect(second.checked == [0, 1])
        #expect(second.accepted == [0, 1])
        #expect(second.topTokens(after: 0).isEmpty)
        #expect(chain.text == [0, 1, 4, 5] && fork.text == chain.text)
    }

    @Test func aStepWithoutDraftIsReportedWithoutOne() throws {
        let combined = CombinedDrafter([chain, fork])
        var tree = DraftTree()
        combined.draft(into: &tree, limit: 10)
        combined.observe(DraftOutcome(tokens: [1]))
        #expect(try #require(chain.outcomes.last).tree.isEmpty)
        #expect(try #require(chain.outcomes.last).verdicts.isEmpty)
    }
}
