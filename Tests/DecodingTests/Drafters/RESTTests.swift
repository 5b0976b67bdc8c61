// Retrieval from documents against counting all continuations by hand.

import InferDecoding
import TestSupport
import Testing

@Suite struct RESTTests {
    /// All beginnings of what follows `match` in `documents` within ten tokens, with their numbers.
    private func beginnings(after match: [Int32], in documents: [[Int32]]) -> [[Int32]: Int] {
        var counts: [[Int32]: Int] = [:]
        for document in documents where document.count >= match.count {
            for start in 0...document.count - match.count
            where document[start..<start + match.count].elementsEqual(match) {
                let rest = document[(start + match.count)...].prefix(10)
                for length in 1..<rest.count + 1 where !rest.isEmpty {
                    counts[Array(rest.prefix(length)), default: 0] += 1
                }
            }
        }
        return counts
    }

    private func occurs(_ match: [Int32], in documents: [[Int32]]) -> Bool {
        documents.contains { document in
            document.count >= match.count
                && (0...document.count - match.count).contains {
                    document[$0..<$0 + match.count].elementsEqual(match)
                }
        }
    }

    private func check(_ drafter: RESTDrafter, _ text: [Int32], _ documents: [[Int32]]) {
        let length = (2...16).reversed().first { $0 <= text.count && occurs(text.suffix($0), in: documents) }
        let expected = length.map { beginnings(after: text.suffix($0), in: documents) } ?? [:]
        let tree = drafter.draft()
        #expect(tree.count == min(64, expected.count))
        let counts = tree.nodes.compactMap { expected[tree.path(to: $0)] }
        #expect(counts.count == tree.count)
        #expect(counts.sorted() == Array(expected.values.sorted().suffix(tree.count)))
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func draftIsTheMostFrequentBeginnings(seed: UInt64) {
        var generator = SeededGenerator(seed)
        let documents = (0..<5).map { _ in generator.text(Int.random(in: 0...300, using: &generator), alphabet: 9) }
        let drafter = RESTDrafter(documents: documents)
        var text = generator.text(18, alphabet: 9)
        drafter.reset(to: text)
        for token in documents.flatMap(\.self).prefix(80) + generator.text(40, alphabet: 9) {
            check(drafter, text, documents)
            drafter.follow([token])
            text.append(token)
        }
    }

    @Test func substitutedDocumentsAreNotServed() {
        let secret: [Int32] = [1, 2, 3, 4, 5, 6]
        let documents = [[9, 8, 7, 1, 2, 30, 31], [40] + secret + [41, 42]]
        let drafter = RESTDrafter(documents: documents)
        drafter.reset(to: [40, 1, 2])
        #expect(drafter.draft().paths == [[3, 4, 5, 6, 41, 42]])
        drafter.substitute([1: [[40], [41, 42]]])
        #expect(drafter.draft().paths == [[30, 31]])
        drafter.reset(to: [50, 41])
        #expect(drafter.draft().isEmpty)
        drafter.reset(to: [50, 41, 42])
        #expect(drafter.draft().isEmpty)
        drafter.substitute([:])
        drafter.reset(to: [40, 1, 2])
        #expect(drafter.draft().paths == [[3, 4, 5, 6, 41, 42]])
    }

    @Test func copiesOfAnAnswerAreNotServed() {
        // Longer than what suffixes are sorted by.
        let answer = (100..<150).map { Int32($0) }
        let documents: [[Int32]] = [
            [1, 2, 3] + answer + [60, 61], [1, 2, 3] + answer.prefix(30) + [70, 71], [60, 61, 62, 63],
        ]
        let drafter = RESTDrafter(documents: documents)
        drafter.withhold(answer, length: 46)
        drafter.reset(to: [1, 2, 3, 100, 101])
        // The other document agrees in fewer tokens.
        #expect(drafter.draft().paths == [Array(answer[2..<12])])
        drafter.withhold(answer, length: 30)
        #expect(drafter.draft().isEmpty)
        drafter.reset(to: [5, 60, 61])
        #expect(drafter.draft().paths == [[62, 63]])
        drafter.withhold([], length: 30)
        drafter.reset(to: [answer[48], answer[49]])
        #expect(drafter.draft().paths == [[60, 61]])
    }

    @Test func bothStoresCountTogether() {
        let drafter = RESTDrafter(documents: [[1, 2, 3], [1, 2, 4], [1, 2, 4], [1, 2, 3]])
        drafter.substitute([0: [[1, 2, 4]]])
        drafter.reset(to: [1, 2])
        let tree = drafter.draft()
        #expect(tree.tokens == [4, 3])
        #expect(tree.values == [0.75, 0.25])
    }

    @Test func noDocumentsNoDraft() {
        let drafter = RESTDrafter(documents: [])
        drafter.reset(to: [1, 2, 3])
        #expect(drafter.draft().isEmpty)
    }
}
