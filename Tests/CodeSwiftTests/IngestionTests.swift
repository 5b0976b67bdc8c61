// From folders to corpora and datastores.

import Foundation
import InferCodeSwift
import InferGGUF
import InferSupport
import InferTokenizers
import TestSupport
import Testing

struct IngestionTests {
    static let tokenizer = Result {
        try Tokenizer(metadata: Fixture.file("tiny-llama-f32").metadata)
    }

    private func makeFolder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        var generator = SeededGenerator(20)
        for index in 0..<60 {
            let lines = (0..<Int.random(in: 1..<40, using: &generator)).map { "value_\($0 % 7) = \(index) * $0\n" }
            try folder.write("d\(index % 7)/f\(index).py", lines.joined())
        }
        return folder
    }

    @Test func documentsContainTheTokensOfTheFiles() throws {
        let tokenizer = try Self.tokenizer.get()
        let folder = try makeFolder()
        try folder.write("copy.py", "x = 1\n")
        try folder.write("same.py", "x = 1\n")
        var ingestion = Ingestion(tokenizer: tokenizer)
        var shares: [Double] = []
        try ingestion.addFolder(folder.url.path) { shares.append($0) }
        #expect(shares.last == 1)
        #expect(ingestion.skipped.entries[.duplicate]?.examples == ["same.py"])
        #expect(ingestion.corpus.documentCount == 61)
        try DatastoreWriter.write(
            SortedCorpus(ingestion.corpus), tokenizer: TokenizerIdentity(tokenizer, name: "t"), to: folder.path("s"))
        let store = try Datastore(path: folder.path("s"))
        try store.verify()
        var names: [String] = []
        for index in 0..<store.documentCount {
            let document = try #require(store.document(index))
            names.append(document.name)
            let text = try String(contentsOfFile: folder.path(document.name), encoding: .utf8)
            let expected = tokenizer.encode(text, addSpecial: false)
            #expect(document.tokens.count == expected.count)
            #expect(store.index.find(expected) != nil)
        }
        #expect(names == names.sorted())
    }

    @Test func theResultDoesNotDependOnTheNumberOfThreads() throws {
        let tokenizer = try Self.tokenizer.get()
        let folder = try makeFolder()
        let stores = try [1, 2, 7].map { threads in
            var ingestion = Ingestion(tokenizer: tokenizer, threads: threads)
            try ingestion.addFolder(folder.url.path)
            let path = folder.path("store-\(threads).bin")
            try DatastoreWriter.write(
                SortedCorpus(ingestion.corpus), tokenizer: TokenizerIdentity(tokenizer, name: "t"), to: path)
            return try Data(contentsOf: URL(filePath: path))
        }
        #expect(stores[0] == stores[1] && stores[1] == stores[2])
    }

    @Test func theErrorNamesAMissingFolder() throws {
        var ingestion = Ingestion(tokenizer: try Self.tokenizer.get())
        let error = #expect(throws: InferenceError.self) { try ingestion.addFolder("no/such/folder") }
        #expect(error?.message.contains("no/such/folder") == true)
    }
}
