// Datastore files: writing, reading, merging, damage.

import Foundation
import InferCodeSwift
import InferSupport
import TestSupport
import Testing

struct DatastoreTests {
    private func write(_ documents: [[Int32]], to path: String, vocabularyCount: Int = 40) throws {
        var tokenizer = Sample.tokenizer
        tokenizer.vocabularyCount = vocabularyCount
        try DatastoreWriter.write(
            SortedCorpus(Sample.corpus(documents, vocabularyCount: vocabularyCount)), tokenizer: tokenizer, to: path)
    }

    /// A small store is ready at once, a large one after it has been read into memory.
    @Test func storesBecomeReady() async throws {
        let folder = try TemporaryFolder()
        var generator = SeededGenerator(10)
        let document = (0..<2_900_000).map { _ in Int32.random(in: 0..<40, using: &generator) }
        try write([[1, 2, 3]], to: folder.path("small.store"))
        try write([document], to: folder.path("large.store"))
        #expect(try Datastore.open([folder.path("small.store")], for: Sample.tokenizer).allSatisfy(\.isReady))
        let large = try Datastore.open([folder.path("large.store")], for: Sample.tokenizer)
        #expect(large[0].byteCount >= 1 << 24)
        for _ in 0..<3000 where !large[0].isReady { try await Task.sleep(for: .milliseconds(10)) }
        #expect(large[0].isReady)
    }

    @Test(arguments: [40, 65_535, 65_536, 70_000]) func readsBackWhatWasWritten(vocabularyCount: Int) throws {
        let folder = try TemporaryFolder()
        let documents = Sample.documents(9).filter { !$0.isEmpty }
        try write(documents, to: folder.path("a.store"), vocabularyCount: vocabularyCount)
        let store = try Datastore(path: folder.path("a.store"))
        try store.verify()
        #expect(store.documentCount == documents.count)
        #expect(store.tokenCount == documents.reduce(0) { $0 + $1.count + 1 })
        #expect(store.tokenizer.name == "tests")
        #expect(store.tokenizer.vocabularyCount == vocabularyCount)
        let memory = try SortedCorpus(Sample.corpus(documents, vocabularyCount: vocabularyCount)).index
        for document in documents {
            #expect(store.index.find(document.prefix(5)) == memory.find(document.prefix(5)))
        }
        var position = 0
        for (index, document) in documents.enumerated() {
            let found = try #require(store.document(index))
            #expect(found.tokens == position..<position + document.count)
            #expect(store.documentIndex(at: position + document.count) == index)
            position += document.count + 1
        }
        #expect(store.documentIndex(at: position) == nil)
    }

    @Test func theSameInputGivesTheSameBytes() throws {
        let folder = try TemporaryFolder()
        try write(Sample.documents(10), to: folder.path("a"))
        try write(Sample.documents(10), to: folder.path("b"))
        #expect(
            try Data(contentsOf: URL(filePath: folder.path("a"))) == Data(contentsOf: URL(filePath: folder.path("b"))))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == ["a", "b"])
    }

    @Test func emptyStore() throws {
        let folder = try TemporaryFolder()
        try write([], to: folder.path("a"))
        let store = try Datastore(path: folder.path("a"))
        try store.verify()
        #expect(store.index.find([1]) == nil)
        #expect(store.document(0) == nil)
    }

    @Test func theErrorForAnotherTokenizerNamesBoth() throws {
        let folder = try TemporaryFolder()
        try write([[1, 2]], to: folder.path("a"))
        let store = try Datastore(path: folder.path("a"))
        try store.requireTokenizer(Sample.tokenizer)
        var other = Sample.tokenizer
        other.name = "another one"
        other.fingerprint = 1
        let error = #expect(throws: InferenceError.self) { try store.requireTokenizer(other) }
        #expect(error?.code == .incompatibleDatastore)
        #expect(error?.message.contains("tests") == true && error?.message.contains("another one") == true)
    }

    /// Merged stores of parts have the same bytes as a store of the whole; duplicates are left out.
    @Test func mergedPartsEqualTheWhole() throws {
        let folder = try TemporaryFolder()
        let documents = Sample.documents(15).filter { !$0.isEmpty }
        let distinct = documents.enumerated().filter { !documents[..<$0].contains($1) }.map(\.element)
        let names = distinct.indices.map { Array("d\($0)".utf8) }
        func corpus(_ range: Range<Int>) throws -> Corpus {
            let corpus = Corpus(vocabularyCount: 40)
            for index in range { try corpus.append(distinct[index], name: names[index]) }
            return corpus
        }
        let middle = distinct.count / 3
        for (name, range) in [
            ("whole", distinct.indices), ("first", 0..<middle + 2), ("second", middle..<distinct.count),
        ] {
            try DatastoreWriter.write(SortedCorpus(corpus(range)), tokenizer: Sample.tokenizer, to: folder.path(name))
        }
        let merged = Corpus(vocabularyCount: 40)
        var known: Set<UInt64> = []
        #expect(try merged.append(Datastore(path: folder.path("first")), known: &known) == 0)
        #expect(try merged.append(Datastore(path: folder.path("second")), known: &known) == 2)
        try DatastoreWriter.write(SortedCorpus(merged), tokenizer: Sample.tokenizer, to: folder.path("merged"))
        let bytes = try ["whole", "merged"].map { try Data(contentsOf: URL(filePath: folder.path($0))) }
        #expect(bytes[0] == bytes[1])
    }

    @Test func damagedStoresAreNotMerged() throws {
        let folder = try TemporaryFolder()
        try write(Sample.documents(16), to: folder.path("a"))
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: folder.path("a"))))
        let tokens = try Datastore(path: folder.path("a")).sectionRanges[0]
        bytes[tokens.lowerBound + 2] ^= 1
        let damaged = try Datastore(MappedFile(contents: bytes, path: "damaged"))
        var known: Set<UInt64> = []
        for vocabularyCount in [40, 41] {
            let corpus = Corpus(vocabularyCount: vocabularyCount)
            let error = #expect(throws: InferenceError.self) { try corpus.append(damaged, known: &known) }
            #expect(error?.code == (vocabularyCount == 40 ? .malformedDatastore : .incompatibleDatastore))
            #expect(corpus.documentCount == 0)
        }
    }

    @Test func openStoresKeepTheirContentsWhenReplaced() throws {
        let folder = try TemporaryFolder()
        try write([[1, 2, 3]], to: folder.path("a"))
        let old = try Datastore(path: folder.path("a"))
        try write([[4, 5]], to: folder.path("a"))
        try old.verify()
        #expect(old.index.find([1, 2, 3]) != nil)
        #expect(try Datastore(path: folder.path("a")).index.find([4, 5]) != nil)
    }

    @Test func otherVersionsAndByteOrdersAreNamed() throws {
        let folder = try TemporaryFolder()
        try write([[1, 2, 3]], to: folder.path("a"))
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder.path("a"))))
        for (offset, value, word) in [(8, 9, "version"), (12, 1, "byte order")] {
            var changed = bytes
            changed[offset] = UInt8(value)
            let error = #expect(throws: InferenceError.self) { try Datastore(MappedFile(contents: changed, path: "x")) }
            #expect(error?.code == .incompatibleDatastore)
            #expect(error?.message.contains(word) == true)
        }
    }

    /// Every flipped bit is found when opening or verifying. Look-ups in the damaged store do not fault.
    @Test func damageIsFoundAndHarmless() throws {
        let folder = try TemporaryFolder()
        let documents = Sample.documents(11, count: 6, limit: 60)
        try write(documents, to: folder.path("a"))
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder.path("a"))))
        let boundaries = TokenBoundaries(count: 40) { $0 < 2 }
        var options = FrequentExpressions.Options()
        options.share = 1
        var opened = 0
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 1 << UInt8(index % 8)
            guard let store = try? Datastore(MappedFile(contents: damaged, path: "damaged")) else { continue }
            opened += 1
            let error = #expect(throws: InferenceError.self) { try store.verify() }
            #expect(error?.code == .malformedDatastore)
            search(store, documents)
            // Nothing is built from a damaged store, and its index does not fault.
            #expect(throws: InferenceError.self) { try FrequentExpressions.corpus(of: store, boundaries: boundaries) }
            _ = try? FrequentExpressions.corpus(
                of: store.index, vocabularyCount: 40, boundaries: boundaries, options: options)
            var known: Set<UInt64> = []
            #expect(throws: InferenceError.self) {
                try Corpus(vocabularyCount: 40).append(store, known: &known)
            }
        }
        #expect(opened > bytes.count / 2)
    }

    @Test func manyDamagedBytesAreHarmless() throws {
        let folder = try TemporaryFolder()
        let documents = Sample.documents(12)
        try write(documents, to: folder.path("a"))
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder.path("a"))))
        var generator = SeededGenerator(13)
        for _ in 0..<200 {
            var damaged = bytes
            // After header and table, before the footer.
            for _ in 0..<200 {
                damaged[Int.random(in: 256..<bytes.count - 16, using: &generator)] = .random(in: 0...255)
            }
            let store = try Datastore(MappedFile(contents: damaged, path: "damaged"))
            search(store, documents)
            _ = try? FrequentExpressions.corpus(
                of: store.index, vocabularyCount: 40, boundaries: TokenBoundaries(count: 40) { $0 < 2 })
        }
    }

    @Test func truncatedFilesAreRefused() throws {
        let folder = try TemporaryFolder()
        try write(Sample.documents(14, count: 3), to: folder.path("a"))
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder.path("a"))))
        for count in 0..<bytes.count {
            let error = #expect(throws: InferenceError.self) {
                try Datastore(MappedFile(contents: Array(bytes[..<count]), path: "cut"))
            }
            #expect(error?.code == .malformedDatastore)
        }
    }

    /// Looks up parts of the documents and checks that all continuations are valid tokens.
    private func search(_ store: Datastore, _ documents: [[Int32]]) {
        for document in documents {
            for start in stride(from: 0, to: document.count, by: 7) {
                guard let range = store.index.find(document[start...].prefix(3)) else { continue }
                var continuations: [Continuation] = []
                store.index.continuations(of: range, limit: 8, into: &continuations)
                #expect(continuations.allSatisfy { $0.token >= 0 && $0.token < 40 && $0.count > 0 })
            }
        }
        for index in 0..<store.documentCount { _ = store.document(index) }
        _ = store.documentIndex(at: 17)
    }
}
