// Small corpora, and the slow way to search them.

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

    /// What follows `pattern` in `documents`, with counts.
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

    /// Occurrences of `pattern` in `documents`.
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

/// A folder that goes away with its owner.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("swiftinfer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// The path of `name` inside.
    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    /// Writes a file, and the folders above it.
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
