// Look-ups in suffix arrays, compared with scanning the documents.

import InferCodeSwift
import TestSupport
import Testing

struct SuffixIndexTests {
    @Test(arguments: [40, 70_000]) func patternsAreFoundWithTheirCounts(vocabularyCount: Int) throws {
        let documents = Sample.documents(3)
        let index = try SortedCorpus(Sample.corpus(documents, vocabularyCount: vocabularyCount)).index
        var generator = SeededGenerator(4)
        for _ in 0..<2000 {
            let length = Int.random(in: 1...6, using: &generator)
            let pattern = (0..<length).map { _ in Int32.random(in: 0..<7, using: &generator) }
            let range = index.find(pattern)
            #expect(range?.count ?? 0 == Sample.occurrences(of: pattern, in: documents))
            #expect(range == nil || range?.length == length)
        }
    }

    @Test func continuationsAreCountedWithinDocuments() throws {
        let documents = Sample.documents(5)
        let index = try SortedCorpus(Sample.corpus(documents)).index
        var generator = SeededGenerator(6)
        var found = 0
        for _ in 0..<2000 {
            let length = Int.random(in: 2...6, using: &generator)
            let pattern = (0..<length).map { _ in Int32.random(in: 0..<6, using: &generator) }
            // Larger ranges are sampled; see below.
            guard let range = index.find(pattern), range.count <= 48 else { continue }
            var continuations: [Continuation] = []
            index.continuations(of: range, limit: 100, into: &continuations)
            let counts = Dictionary(uniqueKeysWithValues: continuations.map { ($0.token, $0.count) })
            #expect(counts == Sample.continuations(of: pattern, in: documents))
            #expect(continuations.map(\.count) == continuations.map(\.count).sorted(by: >))
            found += continuations.count
        }
        #expect(found > 1000)
    }

    @Test func largeRangesGiveTheFrequentContinuations() throws {
        var generator = SeededGenerator(7)
        // 0 is followed by 1 in two thirds of all cases, by 2…31 in the others.
        let document = (0..<9000).flatMap { _ -> [Int32] in
            [0, Int.random(in: 0..<3, using: &generator) > 0 ? 1 : Int32.random(in: 2..<32, using: &generator)]
        }
        let index = try SortedCorpus(Sample.corpus([document])).index
        let range = try #require(index.range(of: 0))
        #expect(range.count == 9000)
        var continuations: [Continuation] = []
        index.continuations(of: range, limit: 4, into: &continuations)
        #expect(continuations.count == 4)
        #expect(continuations.first?.token == 1)
        #expect((5500...6500).contains(continuations.first?.count ?? 0))
    }

    @Test func excludedPositionsAreNotCounted() throws {
        let index = try SortedCorpus(Sample.corpus([[1, 2, 3, 1, 2, 4], [1, 2, 3]])).index
        let range = try #require(index.find([1, 2]))
        var excluded = PositionSet()
        excluded.insert(0..<3)
        var continuations: [Continuation] = []
        index.continuations(of: range, limit: 9, excluding: excluded, into: &continuations)
        #expect(continuations.map(\.token) == [3, 4])
        #expect(continuations.map(\.count) == [1, 1])
        excluded.insert(9..<10)
        continuations = []
        index.continuations(of: range, limit: 9, excluding: excluded, into: &continuations)
        #expect(continuations.map(\.token) == [4])
    }

    @Test func nothingIsFoundOutsideTheVocabulary() throws {
        let index = try SortedCorpus(Sample.corpus([[1, 2]])).index
        for token: Int32 in [-1, 40, 41, .max, .min] {
            #expect(index.range(of: token) == nil)
            #expect(index.find([1, token]) == nil)
        }
        #expect(index.find([2, 40]) == nil)
    }

    @Test func emptyCorpus() throws {
        let index = try SortedCorpus(Sample.corpus([])).index
        #expect(index.tokenCount == 0)
        #expect(index.find([1]) == nil)
    }

    @Test func positionSets() {
        var generator = SeededGenerator(8)
        for _ in 0..<300 {
            var set = PositionSet()
            var expected: Set<Int> = []
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let start = Int.random(in: 0..<50, using: &generator)
                let range = start..<start + Int.random(in: 0..<9, using: &generator)
                set.insert(range)
                expected.formUnion(range)
            }
            #expect((0..<70).allSatisfy { set.contains($0) == expected.contains($0) })
            #expect(set.count == expected.count)
            #expect(zip(set.ranges, set.ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
        }
    }
}
