// Datastores through the public library: building, opening, looking up, errors, cancellation.

import Foundation
import SwiftInfer
import TestSupport
import Testing

@Suite struct DatastoreTests {
    /// The files of the test folder that become documents.
    private static let files = [
        "README.md": "# Sums\n",
        "Sources/add.swift": "func add(_ a: Int, _ b: Int) -> Int {\n    return a + b\n}\n",
        "Sources/twice.swift": "func twice(_ a: Int) -> Int {\n    return add(a, a)\n}\n",
    ]

    private let temporary: TemporaryFolder

    init() throws { temporary = try TemporaryFolder() }

    /// Creates a folder with ``files`` and two files to skip. Returns the paths of the folder and of the store to write.
    private func makeFolder() throws -> (folder: String, store: String) {
        let store = temporary.path("sources.store")
        let folder = URL(filePath: store).deletingLastPathComponent().appending(path: "project")
        let others = [".env": "PASSWORD=1\n", "copy.swift": Self.files["Sources/add.swift"] ?? ""]
        for (name, contents) in Self.files.merging(others, uniquingKeysWith: { $1 }) {
            let url = folder.appending(path: name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(contents.utf8).write(to: url)
        }
        return (folder.path(percentEncoded: false), store)
    }

    @Test func buildsAFolderAndOpensIt() throws {
        let model = try Fixture.model()
        let (folder, path) = try makeFolder()
        var builder = DatastoreBuilder(for: model)
        var shares: [Double] = []
        try builder.add(folder) { shares.append($0) }
        #expect(shares.last == 1)
        let counts = (builder.documentCount, builder.tokenCount, builder.sourceByteCount)
        #expect(counts.0 == 3)
        #expect(counts.2 == Self.files.values.reduce(0) { $0 + $1.utf8.count })
        let skipped = builder.skipped
        #expect(skipped.entries[.secret]?.examples == [".env"])
        #expect(skipped.entries[.duplicate]?.count == 1)
        #expect(skipped.count == 2)
        shares = []
        let written = try builder.write(to: path) { shares.append($0) }
        #expect(shares == shares.sorted() && shares.last == 1)

        let store = try Datastore(path: path)
        try store.verify()
        try store.requireTokenizer(model.tokenizerIdentity)
        #expect(store.path == written.path && store.byteCount == written.byteCount)
        #expect(store.documentCount == counts.0 && store.tokenCount == counts.1)
        #expect(store.tokenizer == model.tokenizerIdentity)
        let documents = (0..<store.documentCount).compactMap { store.document($0) }
        #expect(documents.map(\.name) == documents.map(\.name).sorted())
        for (number, document) in documents.enumerated() {
            let contents = try String(contentsOfFile: "\(folder)/\(document.name)", encoding: .utf8)
            #expect(store.tokens(at: document.tokens) == model.tokenizer.encode(contents, addSpecial: false))
            #expect(store.documentIndex(at: document.tokens.lowerBound) == number)
        }
        #expect(store.document(3) == nil)
    }

    @Test func findsTheLongestEndingOfAText() throws {
        let model = try Fixture.model()
        let (folder, path) = try makeFolder()
        var builder = DatastoreBuilder(for: model)
        try builder.add(folder)
        let store = try builder.write(to: path)
        let document = try #require(store.document(2))
        let tokens = store.tokens(at: document.tokens)
        let unknown = tokens[0] == 1 ? TokenID(2) : 1
        let match = try #require(store.longestMatch(endingIn: [unknown] + tokens.prefix(12)))
        #expect(match.length == 12 && match.count == 1)
        #expect(match.continuations.map(\.token) == [tokens[12]] && match.continuations.map(\.count) == [1])
        #expect(store.longestMatch(endingIn: Array(tokens.prefix(12)), maximumLength: 5)?.length == 5)
        #expect(store.longestMatch(endingIn: tokens, limit: 0)?.continuations.isEmpty == true)
        #expect(store.longestMatch(endingIn: []) == nil)
        #expect(store.longestMatch(endingIn: [-1]) == nil)
    }

    /// Files given by name are taken even if they would be ignored; the result is the same as for the folder.
    @Test func buildsSingleFiles() throws {
        let model = try Fixture.model()
        let (folder, path) = try makeFolder()
        var whole = DatastoreBuilder(for: model, threads: 1)
        try whole.add(folder)
        try whole.write(to: path)
        var listed = DatastoreBuilder(
            tokenizer: model.tokenizer, name: model.tokenizerIdentity.name, options: IngestionOptions(), threads: 2)
        try listed.addFiles(["copy.swift"] + Self.files.keys, below: folder)
        try listed.write(to: path + "2")
        #expect(try Data(contentsOf: URL(filePath: path)) == Data(contentsOf: URL(filePath: path + "2")))
        var single = DatastoreBuilder(for: model)
        try single.add("\(folder)/README.md")
        let store = try single.write(to: path)
        #expect(store.documentCount == 1)
        #expect(store.document(0)?.name == "README.md")
    }

    @Test func errorsHaveCodes() async throws {
        let model = try Fixture.model()
        let (folder, path) = try makeFolder()
        let missing = #expect(throws: InferenceError.self) {
            var builder = DatastoreBuilder(for: model)
            try builder.add("\(folder)/missing")
        }
        #expect(missing?.code == .unreadableFile)
        let unwritable = #expect(throws: InferenceError.self) {
            try DatastoreBuilder(for: model).write(to: "\(folder)/missing/sources.store")
        }
        #expect(unwritable?.code == .unwritableFile)
        let malformed = #expect(throws: InferenceError.self) { try Datastore(path: Fixture.path("tiny-llama-f32")) }
        #expect(malformed?.code == .malformedDatastore)
        let name = "another tokenizer"
        let store = try DatastoreBuilder(tokenizer: model.tokenizer, name: name).write(to: path)
        var other = store.tokenizer
        #expect(other.name == name)
        other.fingerprint &+= 1
        let incompatible = #expect(throws: InferenceError.self) { try store.requireTokenizer(other) }
        #expect(incompatible?.code == .incompatibleDatastore)
    }

    @Test func cancelledTasksStopAndWriteNothing() async throws {
        let model = try Fixture.model()
        let (folder, path) = try makeFolder()
        let task = Task { () -> [InferenceError.Code?] in
            withUnsafeCurrentTask { $0?.cancel() }
            let adding = #expect(throws: InferenceError.self) {
                var builder = DatastoreBuilder(for: model)
                try builder.add(folder)
            }
            let writing = #expect(throws: InferenceError.self) { try DatastoreBuilder(for: model).write(to: path) }
            return [adding?.code, writing?.code]
        }
        #expect(await task.value == [.cancelled, .cancelled])
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func sessionsDraftFromIt() async throws {
        let model = try Fixture.model()
        let (folder, path) = try makeFolder()
        var builder = DatastoreBuilder(for: model)
        try builder.add(folder)
        let store = try builder.write(to: path)
        let options = CodeSwiftOptions(repository: .off, datastores: [store.path], cache: .off)
        let session = try model.makeSession(.init(drafter: .codeSwift(options)))
        let plain = try model.makeSession(.plain)
        let answer = try await session.respond(to: .text("func add("), options: .exactly(12)).statistics
        #expect(
            try await plain.respond(to: .text("func add("), options: .exactly(12)).statistics.tokens == answer.tokens)
    }
}
