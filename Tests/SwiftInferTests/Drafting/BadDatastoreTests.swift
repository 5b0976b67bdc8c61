// Datastores that are damaged, hostile or of another project: drafting from them changes nothing but the speed.

import Foundation
import InferCodeSwift
import InferDecoding
import SwiftInfer
import TestSupport
import Testing

@Suite struct BadDatastoreTests {
    /// Answers without drafting, and a datastore that holds them.
    private struct Scene {
        var session: Session
        let answers: [(prompt: [TokenID], options: GenerationOptions, expected: Statistics)]
        /// The datastore.
        let bytes: [UInt8]
        /// Where in it the tokens are, the suffixes, and the buckets.
        let sections: (tokens: Range<Int>, suffixes: Range<Int>, buckets: Range<Int>)
        private let folder: TemporaryFolder
        private var path: String { folder.path("store") }

        init(_ name: String = "tiny-llama-f32") async throws {
            session = try Fixture.model(name).makeSession()
            var answers: [(prompt: [TokenID], options: GenerationOptions, expected: Statistics)] = []
            for (number, text) in ["def first(items):\n", "let value3 = [1, 2, 3].map {", "return "].enumerated() {
                var options = GenerationOptions.exactly(18) {
                    $0.sampling.temperature = number == 0 ? 0 : 0.9
                    $0.sampling.seed = UInt64(number)
                }
                let prompt = try session.model.tokens(for: .text(text))
                let expected = try await session.respond(to: .tokens(prompt), options: options).statistics
                options.draftWidth = .fixed(8)
                answers.append((prompt, options, expected))
            }
            self.answers = answers
            folder = try TemporaryFolder()
            let path = folder.path("store")
            try Self.write(answers.map { $0.prompt + $0.expected.tokens }, session.model, to: path)
            bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
            let ranges = try Datastore(path: path).sectionRanges
            sections = (ranges[0], ranges[1], ranges[2])
        }

        /// Writes a datastore for the tokens of `model`.
        static func write(_ documents: [[TokenID]], _ model: Model, to path: String) throws {
            let corpus = Corpus(vocabularyCount: model.tokenizer.count)
            for document in documents { try corpus.append(document, name: Array("a.py".utf8)) }
            try DatastoreWriter.write(
                SortedCorpus(corpus), tokenizer: TokenizerIdentity(model.tokenizer, name: "tests"), to: path)
        }

        /// Gives one of the answers again with the help of `bytes`, a datastore; nil when it is refused.
        func outcome(_ bytes: [UInt8], answer: Int) async throws -> (isSame: Bool, draft: DraftStatistics)? {
            // Replaced as a whole: the datastore before may still be mapped.
            try Data(bytes).write(to: URL(filePath: path), options: .atomic)
            do {
                try await session.use(.codeSwift(.init(repository: .off, datastores: [path])))
            } catch {
                #expect([.malformedDatastore, .incompatibleDatastore].contains(error.code), "\(error)")
                return nil
            }
            let (prompt, options, expected) = answers[answer % answers.count]
            let found = try await session.respond(to: .tokens(prompt), options: options).statistics
            return (found.tokens == expected.tokens && found.rowHashes == expected.rowHashes, found.draft)
        }

        /// The drafts that the intact datastore gives for all answers.
        func soundDrafts() async throws -> (drafted: Int, accepted: Int) {
            var sum = (drafted: 0, accepted: 0)
            for index in answers.indices {
                let outcome = try #require(try await outcome(bytes, answer: index))
                #expect(outcome.isSame)
                sum.drafted += outcome.draft.drafted
                sum.accepted += outcome.draft.accepted
            }
            return sum
        }
    }

    /// Random numbers of a place in a trial.
    private func random(_ trial: Int, _ place: Int) -> SIMD4<UInt32> {
        Philox.words(counter: SIMD4(UInt32(place), UInt32(trial), 0, 0), key: SIMD2(0xBAD, 0))
    }

    @Test func aSoundStoreHelps() async throws {
        let scene = try await Scene()
        let sound = try await scene.soundDrafts()
        // Nearly all of the 3 × 17 tokens after the first.
        #expect(sound.accepted > 35)
    }

    /// Bytes changed at random anywhere behind header and table, from one bit to a third of the file.
    @Test(arguments: 0..<8) func changedBytes(part: Int) async throws {
        let scene = try await Scene()
        var drafted = 0
        for trial in part * 250..<(part + 1) * 250 {
            var damaged = scene.bytes
            let changes = 1 << (trial % 12)
            for change in 0..<changes {
                let words = random(trial, change)
                let place = 256 + Int(words[0]) % (damaged.count - 256 - 16)
                damaged[place] ^= changes == 1 ? 1 << UInt8(words[1] % 8) : UInt8(truncatingIfNeeded: words[1])
            }
            let outcome = try #require(try await scene.outcome(damaged, answer: trial))
            #expect(outcome.isSame, "trial \(trial)")
            drafted += outcome.draft.drafted
        }
        #expect(drafted > 1000)
    }

    @Test func changedHeadersAndCutFilesAreRefused() async throws {
        let scene = try await Scene()
        for place in 0..<256 {
            var damaged = scene.bytes
            damaged[place] ^= 1 << UInt8(place % 8)
            #expect(try await scene.outcome(damaged, answer: 0) == nil, "byte \(place)")
        }
        for count in stride(from: 0, to: scene.bytes.count, by: 97) {
            #expect(try await scene.outcome(Array(scene.bytes[..<count]), answer: 0) == nil, "\(count) bytes")
        }
    }

    /// Sections made to lead astray, in all combinations: places outside the text, one place only, circles, every
    /// token's bucket the whole array, buckets that end before they begin, texts of separators or of no token at all.
    @Test func hostileSections() async throws {
        let scene = try await Scene()
        let (tokens, suffixes, buckets) = scene.sections
        let count = UInt32(suffixes.count / 4)
        typealias Words = @Sendable (_ index: UInt32) -> UInt32?
        let suffixArrays: [Words] = [
            { _ in nil }, { .max - $0 }, { _ in 0 }, { ($0 + 1) % count }, { count - 1 - $0 }, { count + $0 % 3 },
            { $0 &* 2_654_435_761 },
        ]
        let bucketArrays: [Words] = [
            { _ in nil }, { $0 % 2 == 0 ? 0 : count }, { count - min(count, $0) }, { $0 == 0 ? 0 : .max },
            { $0 &* 2_654_435_761 % (2 * count) },
        ]
        let texts: [Words] = [
            { _ in nil }, { _ in .max }, { _ in UInt32(scene.session.model.tokenizer.count) }, { _ in 0x0041_0041 },
            { $0 &* 2_654_435_761 },
        ]
        func replace(_ bytes: inout [UInt8], _ range: Range<Int>, _ words: Words) {
            for index in 0..<range.count / 4 {
                guard let word = words(UInt32(index)) else { continue }
                for byte in 0..<4 { bytes[range.lowerBound + 4 * index + byte] = UInt8(word >> (8 * byte) & 0xFF) }
            }
        }
        var trial = 0
        for text in texts {
            for suffixArray in suffixArrays {
                for bucketArray in bucketArrays {
                    var hostile = scene.bytes
                    replace(&hostile, tokens, text)
                    replace(&hostile, suffixes, suffixArray)
                    replace(&hostile, buckets, bucketArray)
                    let outcome = try #require(try await scene.outcome(hostile, answer: trial))
                    #expect(outcome.isSame, "trial \(trial)")
                    trial += 1
                }
            }
        }
    }

    @Test(arguments: ["tiny-llama-q4_k", "tiny-gemma3-f32", "tiny-qwen2-f32"])
    func storesOfAnotherProject(name: String) async throws {
        let scene = try await Scene(name)
        let folder = try TemporaryFolder()
        let path = folder.path("other")
        let other = try scene.session.model.tokens(for: .text(longText))
        try Scene.write([other, other.reversed()], scene.session.model, to: path)
        let bytes = try folder.read("other")
        for index in scene.answers.indices {
            let outcome = try #require(try await scene.outcome(bytes, answer: index))
            #expect(outcome.isSame)
        }
    }

    /// The control: what compares answers does notice other bits, here of keys and values in another precision.
    @Test func anotherPrecisionIsNoticed() async throws {
        var scene = try await Scene()
        scene.session = try Fixture.model().makeSession(.init(cacheType: .f32))
        #expect(try await scene.outcome(scene.bytes, answer: 0)?.isSame == false)
    }
}
