// How much of a draft is checked.

import InferDecoding
import Testing

@Suite struct DraftPlannerTests {
    private let bounds = DraftPlanner.Bounds(nodes: 63, depth: 63, tokenCount: 100)

    private func planner(_ cost: [Double], _ script: @escaping (inout DraftTree) -> Void) -> DraftPlanner {
        DraftPlanner(ScriptedDrafter { _, tree in script(&tree) }, cost: StepCost(seconds: cost))
    }

    @Test func asManyAsPay() {
        // Each further row costs 0.2 of the first, so a node pays if its value is at least 0.2 of the expected tokens.
        let costs = (0..<64).map { 1 + 0.2 * Double($0) }
        let planner = planner(costs) { tree in
            tree.insert(1, value: 0.9)
            tree.insert(2, after: 0, value: 0.8)
            tree.insert(3, value: 0.05)
            tree.insert(4, after: 1, value: 0.01)
        }
        let draft = planner.draft(bounds, width: .automatic)
        #expect(draft.checked == [0, 1])
        #expect(draft.tree.count == 4)
    }

    @Test func nothingWhereNothingPays() {
        let planner = planner([1, 1.5, 2, 2.5]) { $0.insert(chain: [1, 2, 3], acceptance: 0.3) }
        #expect(planner.draft(bounds, width: .automatic).checked.isEmpty)
    }

    @Test func theWholeCurveIsLookedOver() {
        // Five rows cost as much as sixteen: a jump that no single node pays for, but all nodes together do.
        let costs = (1...16).map { $0 < 5 ? 1 + 0.05 * Double($0 - 1) : 2 }
        let planner = planner(costs) { $0.insert(chain: (1...15).map { Int32($0) }, acceptance: 0.97) }
        #expect(planner.draft(bounds, width: .automatic).checked.count == 15)
    }

    /// With B sequences E begins at B: nodes of all sequences compete, and a fixed width takes its rows first.
    @Test func sequencesCompeteForTheRowsOfAStep() {
        let costs = (0..<64).map { 1 + 0.2 * Double($0) }
        let good = planner(costs) { $0.insert(chain: [1, 2], acceptance: 0.9) }
        let poor = planner(costs) { tree in
            tree.insert(3, value: 0.5)
            tree.insert(4, after: 0, value: 0.05)
        }
        let bad = planner(costs) { $0.insert(5, value: 0.05) }
        func checked(_ planners: [DraftPlanner], _ width: DraftWidth...) -> [[Int]] {
            let proposals = zip(planners, width).map { $0.propose(bounds, width: $1) }
            let selection = DraftSelection(proposals, cost: StepCost(seconds: costs))
            return planners.indices.map { planners[$0].draft(proposals[$0], selection.shares[$0]).checked }
        }
        // E/C is 2/1.2, 2.9/1.4, 3.71/1.6, 4.21/1.8 = 2.34, then 4.26/2 = 2.13.
        #expect(checked([good, poor], .automatic, .automatic) == [[0, 1], [0]])
        #expect(checked([bad, good], .automatic, .automatic) == [[], [0, 1]])
        #expect(checked([bad, good], .fixed(1), .automatic) == [[0], [0, 1]])
        #expect(checked([good], .automatic) == [good.draft(bounds, width: .automatic).checked])
    }

    @Test func theBestNodesOfAFixedWidth() {
        let planner = planner([1, 10, 20, 30]) { tree in
            tree.insert(1, value: 0.1)
            tree.insert(2, value: 0.5)
            tree.insert(3, after: 1, value: 0.4)
            tree.insert(4, after: 2, value: 0.05)
        }
        #expect(planner.draft(bounds, width: .fixed(2)).checked == [1, 2])
        #expect(planner.draft(bounds, width: .fixed(3)).checked == [0, 1, 2])
        #expect(planner.draft(bounds, width: .fixed(0)).checked.isEmpty)
        #expect(planner.draft(bounds, width: .fixed(99)).checked == [0, 1, 2, 3])
    }

    @Test func whatIsOutOfBoundsIsLeftOut() {
        let planner = planner([1, 1, 1, 1, 1, 1, 1, 1]) { tree in
            tree.insert(-1, value: 1)
            tree.insert(100, value: 1)
            tree.insert(5, after: 1, value: 1)
            tree.insert(chain: [99, 1, 2, 3], acceptance: 0.9)
        }
        let chain = [3, 4, 5, 6]
        #expect(planner.draft(bounds, width: .fixed(9)).checked == chain)
        for (depth, nodes) in [(2, 9), (9, 2)] {
            let tight = DraftPlanner.Bounds(nodes: nodes, depth: depth, tokenCount: 100)
            #expect(planner.draft(tight, width: .fixed(9)).checked == [3, 4])
            #expect(planner.draft(tight, width: .automatic).checked == [3, 4])
        }
        for (depth, nodes) in [(0, 9), (9, 0), (-1, 9)] {
            let none = DraftPlanner.Bounds(nodes: nodes, depth: depth, tokenCount: 100)
            #expect(planner.draft(none, width: .fixed(9)).tree.isEmpty)
        }
    }

    @Test func theFirstStepIsPlain() {
        let planner = DraftPlanner(ScriptedDrafter { _, tree in tree.insert(1, value: 1) })
        #expect(planner.draft(bounds, width: .automatic).checked.isEmpty)
        planner.stepTook(.milliseconds(10), rows: 1)
        #expect(planner.draft(bounds, width: .automatic).checked == [0])
    }

    @Test func draftingStopsWhenDraftsAreWrongAndResumesWhenTheyAreRight() {
        let costs = (0..<64).map { 1 + 0.3 * Double($0) }
        let planner = planner(costs) { $0.insert(chain: [1, 2, 3, 4], acceptance: 0.9) }
        func steps(_ count: Int, tokens: (Draft) -> [Int32]) -> [Int] {
            (0..<count).map { _ in
                let draft = planner.draft(bounds, width: .automatic)
                planner.observe(DraftOutcome(tree: draft.tree, checked: draft.checked, tokens: tokens(draft)))
                return draft.checked.count
            }
        }
        let wrong = steps(60) { _ in [9] }
        #expect(wrong[0] == 4)
        #expect(wrong.suffix(40).allSatisfy { $0 == 0 })
        // Unchecked nodes of the first depth are judged too, so that no probing is needed.
        let right = steps(60) { draft in (1...4).prefix(draft.checked.count + 1).map { Int32($0) } }
        #expect(right.suffix(10).allSatisfy { $0 > 0 })
    }

    @Test func valuesOfACalibratedDrafterAreTakenAsTheyAre() {
        let drafter = ScriptedDrafter(isCalibrated: true) { _, tree in
            tree.insert(chain: [1, 2, 3, 4], acceptance: 0.9)
        }
        let planner = DraftPlanner(drafter, cost: StepCost(seconds: (0..<64).map { 1 + 0.3 * Double($0) }))
        for _ in 0..<60 {
            let draft = planner.draft(bounds, width: .eager)
            #expect(draft.checked.count == 4)
            planner.observe(DraftOutcome(tree: draft.tree, checked: draft.checked, tokens: [9]))
        }
    }

    @Test func aDrafterThatCostsMoreThanItBringsIsAskedSeldom() {
        let slow = ScriptedDrafter { _, tree in
            let end = ContinuousClock.now + .milliseconds(2)
            while ContinuousClock.now < end {}
            tree.insert(1, value: 0.01)
        }
        let planner = DraftPlanner(slow, cost: StepCost(seconds: (0..<64).map { 0.01 + 0.01 * Double($0) }))
        for _ in 0..<400 {
            _ = planner.draft(bounds, width: .automatic)
            planner.observe(DraftOutcome(tokens: [9]))
        }
        #expect(slow.asked > 8)
        #expect(slow.asked < 40)
        #expect(planner.retrievalDuration >= .milliseconds(2 * slow.asked))
    }
}
