// Draft trees: what is inserted is found, values and tags follow the rules.

import InferDecoding
import Testing

@Suite struct DraftTreeTests {
    @Test func nodesAreFoundAgain() {
        var tree = DraftTree()
        #expect(tree.isEmpty)
        let a = tree.insert(5, value: 0.6)
        let b = tree.insert(6, after: a, value: 0.5)
        let c = tree.insert(7, after: a, value: 0.25)
        let d = tree.insert(8, value: 0.3)
        #expect(tree.count == 4)
        #expect(tree.tokens == [5, 6, 7, 8])
        #expect(tree.parents == [-1, 0, 0, -1])
        #expect(tree.depths == [0, 1, 1, 0])
        #expect(tree.child(5, of: DraftTree.root) == a)
        #expect(tree.child(8, of: DraftTree.root) == d)
        #expect(tree.child(7, of: a) == c)
        #expect(tree.child(8, of: a) == nil)
        #expect(tree.children(of: DraftTree.root) == [a, d])
        #expect(tree.children(of: a) == [b, c])
        #expect(tree.children(of: c).isEmpty)
        #expect(tree.path(to: c) == [5, 7])
        #expect(tree.path(to: DraftTree.root).isEmpty)
    }

    @Test func equalNodesAreMerged() {
        var tree = DraftTree()
        let a = tree.insert(1, value: 0.5, tag: 3)
        #expect(tree.insert(1, value: 0.4, tag: 4) == a)
        #expect(tree.values == [0.5] && tree.tags == [3])
        #expect(tree.insert(1, value: 0.7, tag: 5) == a)
        #expect(tree.values == [0.7] && tree.tags == [5])
        #expect(tree.count == 1)
    }

    @Test(arguments: [(Float.nan, 0), (-1, 0), (2, 0.5), (.infinity, 0.5), (0.25, 0.25)] as [(Float, Float)])
    func valuesAreProbabilitiesThatFallAlongPaths(given: Float, kept: Float) {
        var tree = DraftTree()
        let parent = tree.insert(1, value: 0.5)
        tree.insert(2, after: parent, value: given)
        #expect(tree.values == [0.5, kept])
    }

    @Test func chains() {
        var tree = DraftTree()
        let end = tree.insert(chain: [1, 2, 3], acceptance: 0.5, tag: 9)
        #expect(end == 2)
        #expect(tree.values == [0.5, 0.25, 0.125])
        #expect(tree.tags == [9, 9, 9])
        #expect(tree.insert(chain: [2, 4], after: 0, acceptance: 0.5) == 3)
        #expect(tree.path(to: 3) == [1, 2, 4])
        #expect(tree.insert(chain: [], after: 1, acceptance: 0.5) == 1)
    }

    @Test func aDraftOffersWhatIsChecked() {
        var tree = DraftTree()
        tree.insert(1, value: 0.9)
        tree.insert(2, value: 0.1)
        tree.insert(3, after: 0, value: 0.8)
        tree.insert(4, after: 1, value: 0.1)
        tree.insert(5, after: 2, value: 0.7, tag: 2)
        let draft = Draft(tree: tree, checked: [0, 2, 4])
        #expect(draft.offered.tokens == [1, 3, 5])
        #expect(draft.offered.parents == [-1, 0, 1])
        #expect(draft.offered.values == [0.9, 0.8, 0.7])
        #expect(draft.offered.tags == [0, 0, 2])
    }
}
