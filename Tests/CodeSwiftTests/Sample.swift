// Corpora and texts for the tests, and simple reference implementations of look-ups.

import InferCodeSwift
import TestSupport

/// Documents of random tokens.
enum Sample {
    static let tokenizer = TokenizerIdentity(name: "tests", fingerprint: 0xABCD, vocabularyCount: 40)

    /// A corpus of `documents`, named d0, d1, …
    static func corpus(_ documents: [[Int32]], vocabularyCount: Int = 40) throws -> Corpus {
        let corpus = Corpus(vocabularyCount: vocabularyCount)
        for (index, document) in documents.enumerated() { try corpus.append(document, name: Array("d\(index)".utf8)) }
        return corpus
    }

    static func documents(_ seed: UInt64, count: Int = 30, limit: Int = 200, alphabet: Int = 6) -> [[Int32]] {
        var generator = SeededGenerator(seed)
        return (0..<count).map { RandomText.make($0, limit: limit, alphabet: alphabet, &generator) }
    }

    /// The tokens that follow `pattern` in `documents`, with counts.
    static func continuations(of pattern: [Int32], in documents: [[Int32]]) -> [Int32: Int] {
        var counts: [Int32: Int] = [:]
        for document in documents where document.count > pattern.count {
            for start in 0..<(document.count - pattern.count)
            where document[start..<start + pattern.count].elementsEqual(pattern) {
                counts[document[start + pattern.count], default: 0] += 1
            }
        }
        return counts
    }

    /// The number of occurrences of `pattern` in `documents`.
    static func occurrences(of pattern: [Int32], in documents: [[Int32]]) -> Int {
        documents.reduce(0) { sum, document in
            guard document.count >= pattern.count else { return sum }
            return sum
                + (0...(document.count - pattern.count)).count {
                    document[$0..<$0 + pattern.count].elementsEqual(pattern)
                }
        }
    }
}
