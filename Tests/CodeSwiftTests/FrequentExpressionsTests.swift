// The repeated sequences of a corpus, compared with simple searches.

import InferCodeSwift
import Testing

struct FrequentExpressionsTests {
    private let boundaries = TokenBoundaries(count: 40) { $0 == 0 || $0 == 1 }

    private func expressions(
        _ documents: [[Int32]], _ edit: (inout FrequentExpressions.Options) -> Void = { _ in }
    ) throws -> [(tokens: [Int32], count: Int)] {
        var options = FrequentExpressions.Options()
        options.share = 1
        edit(&options)
        let index = try SortedCorpus(Sample.corpus(documents)).index
        let corpus = try FrequentExpressions.corpus(
            of: index, vocabularyCount: 40, boundaries: boundaries, options: options)
        let names = corpus.documentNames.map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
        let sorted = try SortedCorpus(corpus).index
        var texts: [[Int32]] = [[]]
        for position in 0..<sorted.tokenCount {
            let token = sorted.tokenAt(position)
            if token < 40 { texts[texts.count - 1].append(token) } else { texts.append([]) }
        }
        return Array(zip(texts, names)).map { ($0, $1) }
    }

    /// The phrase is between boundaries, with different neighbours each time.
    @Test func aRepeatedPhraseIsFoundAndTrimmedToBoundaries() throws {
        let phrase: [Int32] = [5, 6, 7, 8, 9, 1]
        let documents = (0..<4).map { number -> [Int32] in [10 + number, 20, 0] + phrase + [30 + number, 0] }
        let found = try expressions(documents)
        #expect(found.map(\.tokens) == [phrase])
        #expect(found.map(\.count) == [4])
        #expect(try expressions(documents) { $0.leastCount = 5 }.isEmpty)
        #expect(try expressions(documents) { $0.leastLength = 7 }.isEmpty)
    }

    @Test func expressionsAreRepeatsWithinDocuments() throws {
        let documents = Sample.documents(70, count: 20, limit: 300, alphabet: 4)
        let found = try expressions(documents) { $0.mostLength = 12 }
        #expect(!found.isEmpty)
        for (tokens, count) in found {
            #expect((4...12).contains(tokens.count))
            #expect([0, 1].contains(tokens[tokens.count - 1]))
            // The count is that of the untrimmed repeat; the trimmed sequence may occur more often.
            #expect(count >= 3)
            #expect(Sample.occurrences(of: tokens, in: documents) >= count)
        }
        let scores = found.map { $0.count * $0.tokens.count }
        #expect(scores == scores.sorted(by: >))
    }

    @Test func theShareLimitsTheResult() throws {
        let documents = Sample.documents(71, count: 30, limit: 300, alphabet: 5)
        let total = documents.reduce(0) { $0 + $1.count + 1 }
        let few = try expressions(documents) { $0.share = 0.02 }
        #expect(!few.isEmpty)
        #expect(few.reduce(0) { $0 + $1.tokens.count + 1 } <= total / 50)
    }

    @Test func aCorpusWithoutRepeatsHasNone() throws {
        #expect(try expressions([[2, 3, 4, 5, 6, 7]]).isEmpty)
        #expect(try expressions([]).isEmpty)
    }
}
