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
        #expect(Verification(tree: tree, checked: [0, 1, 2, 3, 4], tokens: [1, 2, 9]).accepted == [0, 1])
        #expect(Verification(tree: tree, checked: [0, 3], tokens: [1, 2]).accepted == [0])
        #expect(Verification(tree: tree, checked: [], tokens: [1]).accepted == [])
        #expect(Verification(tree: tree, checked: [0, 1], tokens: [5]).accepted == [])
        #expect(Verification(tree: tree, checked: [0, 1, 2], tokens: [1, 2, 3]).accepted == [0, 1, 2])
        #expect(Verification(tokens: [1]).accepted == [])
    }

    @Test func verdictsGoToAllWhoseParentIsRight() {
        func verdicts(_ checked: [Int], _ tokens: [Int32]) -> [Int: Bool] {
            let verification = Verification(tree: tree, checked: checked, tokens: tokens)
            return Dictionary(uniqueKeysWithValues: verification.verdicts.map { ($0.node, $0.isRight) })
        }
        #expect(verdicts([0], [1, 4]) == [0: true, 4: false, 1: false, 3: true])
        #expect(verdicts([], [5]) == [0: false, 4: true])
        #expect(verdicts([0, 1, 2], [1, 2, 3]) == [0: true, 4: false, 1: true, 3: false, 2: true])
        #expect(verdicts([0], [8]) == [0: false, 4: false])
    }

    @Test func candidatesBelongToRows() {
        let rows = [7, 8, 9].map { [Verification.Candidate(token: $0, logit: 1)] }
        let verification = Verification(tree: tree, checked: [0, 3], tokens: [1], candidateRows: rows)
        #expect(verification.candidates(after: DraftTree.root) == rows[0])
        #expect(verification.candidates(after: 0) == rows[1])
        #expect(verification.candidates(after: 3) == rows[2])
        #expect(verification.candidates(after: 1).isEmpty)
        #expect(Verification(tokens: [1]).candidates(after: DraftTree.root).isEmpty)
    }

    @Test func plannerPassesOnAsManyCandidatesAsAreWanted() {
        let row = [Candidate(token: 1, logit: 4), Candidate(token: 3, logit: 4), Candidate(token: 4, logit: -0.5)]
        let planner = DraftPlanner(ScriptedDrafter(candidatesWanted: 2) { _, _ in })
        let rows = planner.candidates([row, [row[2]], []])
        #expect(rows.map { $0.map(\.token) } == [[1, 3], [4], []])
        #expect(rows.map { $0.map(\.logit) } == [[4, 4], [-0.5], []])
    }
}
