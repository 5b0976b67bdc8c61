// Batched look-ups in several suffix arrays, compared with single look-ups and scans.

import InferCodeSwift
import TestSupport
import Testing

struct StoreSearchTests {
    private func segments(_ documents: [[Int32]], parts: Int, vocabularyCount: Int = 40) throws -> [StoreSegment] {
        try (0..<parts).map { part in
            let own = documents.indices.filter { $0 % parts == part }.map { documents[$0] }
            return StoreSegment(
                try SortedCorpus(Sample.corpus(own, vocabularyCount: vocabularyCount)).index)
        }
    }

    /// A text that follows `document` most of the time.
    private func text(along document: [Int32], _ generator: inout SeededGenerator) -> [Int32] {
        (0..<80).map { step in
            let follows = Int.random(in: 0..<8, using: &generator) > 0 && step < document.count
            return follows ? document[step] : Int32.random(in: 0..<6, using: &generator)
        }
    }

    @Test(arguments: [(1, 40), (3, 40), (5, 70_000)])
    func endingsThatOccurAreFound(parts: Int, vocabularyCount: Int) throws {
        let documents = Sample.documents(40, count: 12, limit: 400, alphabet: 5)
        let segments = try segments(documents, parts: parts, vocabularyCount: vocabularyCount)
        var generator = SeededGenerator(41)
        var search = StoreSearch(segments)
        var longest = 0
        for trial in 0..<12 {
            let text = text(along: documents[trial], &generator)
            for end in 1...text.count {
                // The samples of frequent patterns narrow the searches for longer ones.
                if end.isMultiple(of: 3) { _ = search.continuations(of: Array(text[..<end]), maximumLength: 2) }
                let counts = search.endingCounts(of: Array(text[..<end]), maximumLength: 6)
                let expected = (1...min(6, end)).map { length in
                    segments.reduce(0) { $0 + ($1.index.find(text[end - length..<end])?.count ?? 0) }
                }
                #expect(counts == Array(expected.prefix { $0 > 0 }))
                longest = max(longest, counts.count)
            }
        }
        #expect(longest == 6)
    }

    @Test(arguments: [1, 4]) func continuationsAreCountedOverAllParts(parts: Int) throws {
        let documents = Sample.documents(42, count: 20, limit: 300)
        var generator = SeededGenerator(43)
        var search = StoreSearch(try segments(documents, parts: parts))
        var checked = 0
        for _ in 0..<600 {
            let length = Int.random(in: 2...6, using: &generator)
            let pattern = (0..<length).map { _ in Int32.random(in: 0..<6, using: &generator) }
            let occurrences = Sample.occurrences(of: pattern, in: documents)
            // More frequent patterns are sampled.
            guard (1...48).contains(occurrences) else { continue }
            let answer = search.continuations(of: pattern, maximumLength: length)
            let (served, found) = try #require(answer)
            let all = Sample.continuations(of: pattern, in: documents)
            #expect(served == occurrences)
            let best = all.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(8)
            #expect(found.map(\.token) == best.map(\.key))
            #expect(found.map(\.count) == best.map(\.value))
            checked += 1
        }
        #expect(checked > 200)
    }

    /// A store in several parts gives the same answers as the whole, also for frequent patterns.
    @Test func partsAnswerLikeOneStore() throws {
        let document = (0..<9000).flatMap { number -> [Int32] in [0, number % 3 > 0 ? 1 : Int32(2 + number % 30)] }
        var whole = StoreSearch(try segments([document], parts: 1))
        let pieces = stride(from: 0, to: document.count, by: 600).map { Array(document[$0..<$0 + 600]) }
        var cut = StoreSearch(try segments(pieces, parts: 10))
        let answer = whole.continuations(of: [1, 0], maximumLength: 2)
        let (served, found) = try #require(answer)
        let answerOfParts = cut.continuations(of: [1, 0], maximumLength: 2)
        let (servedOfParts, foundInParts) = try #require(answerOfParts)
        #expect(found.first?.token == 1)
        #expect(foundInParts.first?.token == 1)
        #expect(abs(served - servedOfParts) < 40)
        #expect(abs((found.first?.count ?? 0) - (foundInParts.first?.count ?? 0)) < served / 5)
    }

    @Test func excludedPositionsAreNotOffered() throws {
        var segments = try segments([[1, 2, 3, 1, 2, 4], [1, 2, 3]], parts: 2)
        segments[1].excluded.insert(0..<3)
        var search = StoreSearch(segments)
        let answer = search.continuations(of: [1, 2], maximumLength: 2)
        let (served, found) = try #require(answer)
        #expect(served == 2)
        #expect(found.map(\.token) == [3, 4])
        #expect(found.map(\.count) == [1, 1])
    }

    @Test func unknownTokensEndAllMatches() throws {
        var search = StoreSearch(try segments([[1, 2, 3]], parts: 1))
        let known = search.endingCounts(of: [1, 2], maximumLength: 24)
        #expect(known == [1, 1])
        for token: Int32 in [-1, 39, 40, .max] {
            let counts = search.endingCounts(of: [1, 2, token], maximumLength: 24)
            #expect(counts.isEmpty)
            let later = search.endingCounts(of: [1, 2, token, 2], maximumLength: 24)
            #expect(later == [1])
        }
        let answer = search.continuations(of: [1, 39], maximumLength: 2)
        #expect(answer == nil)
    }
}
