// The hashed table of n-grams: when it drafts, learns and is emptied.

import InferDecoding
import Testing

@Suite struct NgramModTests {
    private let period = (0..<30).map { Int32($0 * 7 + 1) }

    private func drafter() -> NgramModDrafter {
        NgramModDrafter(matchLength: 4, draftLengths: 5...8, tableSize: 1 << 12)
    }

    @Test func repeatsWhatFollowed() {
        let drafter = drafter()
        drafter.reset(to: period + [500, 501] + period.prefix(6))
        #expect(drafter.draft().paths == [Array(period[6..<14])])
    }

    @Test func dropsShortDrafts() {
        let drafter = drafter()
        // Of the chain only four look-ups are known.
        drafter.reset(to: Array(period.prefix(8) + Array(period.prefix(4))))
        let known = drafter.draft()
        #expect(known.count == 8)
        drafter.reset(to: [1000, 1001, 1002, 1003, 1004, 1005] + [1000, 1001, 1002])
        #expect(drafter.draft().isEmpty)
    }

    @Test func needsAFullMatch() {
        let drafter = drafter()
        drafter.reset(to: [1, 2, 3])
        #expect(drafter.draft().isEmpty)
    }

    @Test func learnsInChunksAndTheNewestStays() {
        let drafter = drafter()
        drafter.reset(to: [900, 901, 902, 903, 904])
        drafter.follow(Array(period.prefix(20)))
        drafter.follow(Array(period.prefix(4)))
        #expect(drafter.draft().isEmpty)
        drafter.follow(Array(800..<809))
        drafter.follow(Array(period.prefix(4)))
        #expect(drafter.draft().paths == [Array(800..<808)])
    }

    @Test func forgetsAfterFiveBadDrafts() {
        let drafter = drafter()
        drafter.reset(to: period + [500, 501] + period.prefix(6))
        for _ in 0..<4 {
            let tree = drafter.draft()
            #expect(tree.count == 8)
            drafter.observe(DraftOutcome(tree: tree, checked: Array(tree.nodes), tokens: Array(period[2..<6])))
        }
        let tree = drafter.draft()
        drafter.observe(DraftOutcome(tree: tree, checked: Array(tree.nodes), tokens: [999]))
        // The running text is learned anew; what came before it is gone with the table.
        drafter.reset(to: Array(period.prefix(6)))
        #expect(drafter.draft().isEmpty)
    }

    @Test func acceptedDraftsKeepTheTable() {
        let drafter = drafter()
        drafter.reset(to: period + [500, 501] + period.prefix(6))
        for _ in 0..<8 {
            let tree = drafter.draft()
            let accepted = tree.path(to: 3)
            drafter.observe(DraftOutcome(tree: tree, checked: Array(tree.nodes), tokens: accepted + period[2..<6]))
        }
        #expect(drafter.draft().count == 8)
    }
}
