// Prompt lookup: which occurrence it takes, and how much of what follows.

import InferDecoding
import Testing

@Suite struct PromptLookupTests {
    private func paths(_ text: [Int32]) -> [[Int32]] {
        let drafter = PromptLookupDrafter(longestMatch: 3, draftLength: 4)
        drafter.reset(to: text)
        return drafter.draft().paths
    }

    @Test func takesTheLongestMatch() {
        #expect(paths([1, 2, 3, 40, 41, 42, 43, 9, 3, 50, 51, 52, 53, 1, 2, 3]) == [[40, 41, 42, 43]])
        #expect(paths([2, 3, 40, 41, 42, 43, 1, 3, 50, 51, 52, 53, 9, 2, 3]) == [[40, 41, 42, 43]])
    }

    @Test func takesTheNewestWithAFullContinuation() {
        #expect(paths([1, 2, 60, 61, 62, 63, 1, 2, 70, 71, 72, 73, 1, 2]) == [[70, 71, 72, 73]])
        // After the newest only two tokens follow: the one before gives four.
        #expect(paths([1, 60, 61, 62, 63, 1, 70, 1]) == [[60, 61, 62, 63]])
    }

    @Test func takesWhatFollowsWhenThatIsLittle() {
        #expect(paths([1, 70, 1]) == [[70, 1]])
        #expect(paths([5, 5]) == [[5]])
    }

    @Test func draftsNothingWithoutAMatch() {
        #expect(paths([1, 2, 3]).isEmpty)
        #expect(paths([]).isEmpty)
    }

    @Test func seesWhatTheTextBecomes() {
        let drafter = PromptLookupDrafter()
        drafter.reset(to: [1, 2, 3])
        drafter.follow([4, 1])
        #expect(drafter.draft().paths == [[2, 3, 4, 1]])
        drafter.reset(to: [4, 1])
        #expect(drafter.draft().isEmpty)
    }
}
