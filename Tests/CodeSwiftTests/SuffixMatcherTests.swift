// The endings of a growing text against looking each one up.

import CodeSwift
import Testing

struct SuffixMatcherTests {
    @Test func endingsAreThoseThatOccur() throws {
        let documents = Sample.documents(40, count: 12, limit: 400, alphabet: 5)
        let index = try SortedCorpus(Sample.corpus(documents)).index
        var matcher = SuffixMatcher(index, maximumLength: 6)
        var generator = SeededGenerator(41)
        var longest = 0
        for trial in 0..<40 {
            let source = documents[trial % documents.count]
            var text: [Int32] = []
            matcher.reset()
            for step in 0..<120 {
                // Mostly along a document, so that long matches come and go.
                let follows = Int.random(in: 0..<8, using: &generator) > 0 && step < source.count
                text.append(follows ? source[step] : Int32.random(in: 0..<6, using: &generator))
                matcher.append(text[step])
                let expected = (1...6).prefix { $0 <= text.count && index.find(text.suffix($0)) != nil }
                #expect(matcher.endings == expected.compactMap { index.find(text.suffix($0)) })
                longest = max(longest, matcher.endings.count)
            }
            let endings = matcher.endings
            matcher.reset(to: text)
            #expect(matcher.endings == endings)
        }
        #expect(longest == 6)
    }

    @Test func unknownTokensEndAllMatches() throws {
        var matcher = SuffixMatcher(try SortedCorpus(Sample.corpus([[1, 2, 3]])).index)
        for token: Int32 in [1, 2] { matcher.append(token) }
        #expect(matcher.endings.count == 2)
        for token: Int32 in [-1, 39, .max] {
            matcher.append(token)
            #expect(matcher.endings.isEmpty)
        }
        matcher.append(2)
        #expect(matcher.endings.count == 1)
    }
}
