// Corpora and texts for the tests, and simple reference implementations of look-ups.

import Foundation
import InferCodeSwift

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

/// A temporary folder that is removed with its owner.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("swiftinfer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// The path of `name` in the folder.
    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    /// Writes a file and creates its parent folders.
    @discardableResult
    func write(_ name: String, _ contents: String) throws -> String {
        try write(name, Data(contents.utf8))
    }

    @discardableResult
    func write(_ name: String, _ contents: Data) throws -> String {
        let url = url.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try contents.write(to: url)
        return url.path
    }
}

/// A random generator with a seed, so that failures are reproducible (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

/// Texts over small alphabets.
enum RandomText {
    /// A text of up to `limit` symbols in 0..<`alphabet`. Every third text repeats a short period; every fifth repeats
    /// a long period with changes, as code does.
    static func make(_ trial: Int, limit: Int, alphabet: Int, _ generator: inout SeededGenerator) -> [Int32] {
        let count = Int.random(in: 0...limit, using: &generator)
        var text = (0..<count).map { _ in Int32.random(in: 0..<Int32(alphabet), using: &generator) }
        if trial % 3 == 0, count > 4 {
            let period = Int.random(in: 1...4, using: &generator)
            for index in period..<count { text[index] = text[index - period] }
        } else if trial % 5 == 0, count > 20 {
            let period = count / 3
            for index in period..<count where Int.random(in: 0..<12, using: &generator) > 0 {
                text[index] = text[index - period]
            }
        }
        return text
    }

    /// The Fibonacci word, a worst case for many algorithms on repetitive texts.
    static func fibonacci(_ count: Int) -> [Int32] {
        var previous: [Int32] = [1]
        var word: [Int32] = [0]
        while word.count < count { (previous, word) = (word, word + previous) }
        return Array(word.prefix(count))
    }
}
