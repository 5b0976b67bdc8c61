// What drafters are told about the outcome of a step.

import InferDecoding
import InferTensors
import Testing

@Suite struct VerificationTests {
    /// 1 → 2 → 3 and 1 → 4, 5.
    private let tree: DraftTree = {
        var tree = DraftTree()
        tree.insert(chain: [1, 2, 3], acceptance: 0.9)
        tree.insert(4, after: 0, value: 0.5)
        tree.insert(5, value: 0.1)
        return tree
    }()

    @Test func acceptedNodesAreThoseThatWereCheckedAndRight() {
        #expect(DraftOutcome(tree: tree, checked: [0, 1, 2, 3, 4], tokens: [1, 2, 9]).accepted == [0, 1])
        #expect(DraftOutcome(tree: tree, checked: [0, 3], tokens: [1, 2]).accepted == [0])
        #expect(DraftOutcome(tree: tree, checked: [], tokens: [1]).accepted == [])
        #expect(DraftOutcome(tree: tree, checked: [0, 1], tokens: [5]).accepted == [])
        #expect(DraftOutcome(tree: tree, checked: [0, 1, 2], tokens: [1, 2, 3]).accepted == [0, 1, 2])
        #expect(DraftOutcome(tokens: [1]).accepted == [])
    }

    @Test func verdictsGoToAllWhoseParentIsRight() {
        func verdicts(_ checked: [Int], _ tokens: [Int32]) -> [Int: Bool] {
            let outcome = DraftOutcome(tree: tree, checked: checked, tokens: tokens)
            return Dictionary(uniqueKeysWithValues: outcome.verdicts.map { ($0.node, $0.isRight) })
        }
        #expect(verdicts([0], [1, 4]) == [0: true, 4: false, 1: false, 3: true])
        #expect(verdicts([], [5]) == [0: false, 4: true])
        #expect(verdicts([0, 1, 2], [1, 2, 3]) == [0: true, 4: false, 1: true, 3: false, 2: true])
        #expect(verdicts([0], [8]) == [0: false, 4: false])
    }

    @Test func topTokensBelongToRows() {
        let rows = [7, 8, 9].map { [TopToken(token: $0, logit: 1)] }
        let outcome = DraftOutcome(tree: tree, checked: [0, 3], tokens: [1], topTokenRows: rows)
        #expect(outcome.topTokens(after: DraftTree.root) == rows[0])
        #expect(outcome.topTokens(after: 0) == rows[1])
        #expect(outcome.topTokens(after: 3) == rows[2])
        #expect(outcome.topTokens(after: 1).isEmpty)
        #expect(DraftOutcome(tokens: [1]).topTokens(after: DraftTree.root).isEmpty)
    }
}
