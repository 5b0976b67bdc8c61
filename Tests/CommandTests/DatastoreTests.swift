// `swiftinfer datastore`: its commands through the built program.

import Foundation
import TestSupport
import Testing

struct DatastoreTests {
    private func sources() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let manager = FileManager.default
        try manager.createDirectory(at: folder.url.appendingPathComponent("src/sub"), withIntermediateDirectories: true)
        _ = try folder.file("src/a.py", Data("def first(items):\n    return items[0]\n".utf8))
        _ = try folder.file("src/sub/b.py", Data("def last(items):\n    return items[-1]\n".utf8))
        _ = try folder.file("src/.env", Data("PASSWORD=1\n".utf8))
        _ = try folder.file("src/note.txt", Data("nothing\n".utf8))
        return folder
    }

    private func path(_ folder: TemporaryFolder, _ name: String) -> String {
        folder.url.appendingPathComponent(name).path
    }

    @Test func builtStoresCanBeExamined() throws {
        let folder = try sources()
        let store = path(folder, "out.store")
        let build = try Command(
            "datastore", "build", "-o", store, "--model", Fixture.llama, "--json", path(folder, "src"))
        #expect(build.status == 0, "\(build.errors)")
        #expect(try build.json()["documents"] as? Int == 3)
        #expect(build.errors.contains("1 that look like they hold secrets: .env"))

        let info = try Command("datastore", "info", store, "--documents", "9", "--json").json()
        #expect(info["names"] as? [String] == ["a.py", "note.txt", "sub/b.py"])
        #expect((info["tokenizer"] as? String)?.contains("tiny-llama") == true)
        #expect(try Command("datastore", "verify", store).output == "\(store): valid\n")

        let query = try Command("datastore", "query", "--model", Fixture.llama, "--json", store, "return items[").json()
        #expect(query["occurrences"] as? Int == 2)
        let rows = try #require(query["continuations"] as? [[String: Any]])
        #expect(Set(rows.compactMap { $0["text"] as? String }) == ["\"0\"", "\"-\""])
    }

    @Test func theSameFilesGiveTheSameBytes() throws {
        let folder = try sources()
        let list = try folder.file("list", Data("sub/b.py\na.py\n../list\n".utf8)).path
        let common = ["datastore", "build", "--model", Fixture.llama, "--extensions", "py"]
        let source = path(folder, "src")
        let first = try Command(common + ["-o", path(folder, "1"), "--threads", "1", source])
        let second = try Command(common + ["-o", path(folder, "2"), "--threads", "3", "--files-from", list, source])
        #expect(first.status == 0 && second.status == 0, "\(first.errors)\(second.errors)")
        let bytes = try ["1", "2"].map { try Data(contentsOf: folder.url.appendingPathComponent($0)) }
        #expect(bytes[0] == bytes[1])
    }

    @Test func partsCanBeMerged() throws {
        let folder = try sources()
        let common = ["datastore", "build", "--model", Fixture.llama, "-o"]
        let whole = try Command(common + [path(folder, "whole"), path(folder, "src")])
        let parts = try [("a", "a.py\nnote.txt"), ("b", "sub/b.py\na.py")].map { name, list in
            let list = try folder.file("list", Data(list.utf8)).path
            return try Command(common + [path(folder, name), "--files-from", list, path(folder, "src")])
        }
        #expect(whole.status == 0 && parts.allSatisfy { $0.status == 0 })
        let merge = try Command(
            "datastore", "merge", path(folder, "a"), path(folder, "b"), "-o", path(folder, "merged"), "--json")
        #expect(merge.status == 0, "\(merge.errors)")
        #expect(try merge.json()["duplicates"] as? Int == 1)
        let bytes = try ["whole", "merged"].map { try Data(contentsOf: folder.url.appendingPathComponent($0)) }
        #expect(bytes[0] == bytes[1])

        let other = try Command([
            "datastore", "build", "--model", Fixture.qwen, "-o", path(folder, "q"), path(folder, "src"),
        ])
        #expect(other.status == 0)
        let refused = try Command("datastore", "merge", path(folder, "a"), path(folder, "q"), "-o", path(folder, "m"))
        #expect(refused.isCleanFailure)
        #expect(refused.errors.contains("tiny-llama") && refused.errors.contains("tiny-qwen2"))
    }

    @Test func expressionsOfAStoreMakeASmallerOne() throws {
        let folder = try sources()
        let line = "    total = combine(first_value, second_value)\n"
        try String(repeating: line, count: 60).write(
            toFile: path(folder, "src/repeated.py"), atomically: true, encoding: .utf8)
        let (store, small) = (path(folder, "out.store"), path(folder, "small.store"))
        let build = try Command(
            "datastore", "build", "-o", store, "--model", Fixture.llama, path(folder, "src"), "--json")
        let run = try Command(
            "datastore", "expressions", store, "-o", small, "--model", Fixture.llama, "--share", "0.5", "--json")
        #expect(run.status == 0, "\(run.errors)")
        let tokens = try #require(try run.json()["tokens"] as? Int)
        let whole = try #require(try build.json()["tokens"] as? Int)
        #expect(tokens > 0 && tokens < whole)
        #expect(try Command("datastore", "verify", small).status == 0)
        let precious = path(folder, "src/a.py")
        #expect(
            try Command("datastore", "expressions", store, "-o", precious, "--model", Fixture.llama).isCleanFailure)
    }

    @Test func everyDamagedStoreIsReported() throws {
        let folder = try sources()
        let names = ["1", "2", "3"].map { path(folder, $0) }
        let build = try Command("datastore", "build", "-o", names[1], "--model", Fixture.llama, path(folder, "src"))
        #expect(build.status == 0, "\(build.errors)")
        for name in [names[0], names[2]] { try Data("nothing".utf8).write(to: URL(filePath: name)) }
        let run = try Command(["datastore", "verify"] + names)
        #expect(run.status == 1)
        #expect(run.output == "\(names[1]): valid\n")
        #expect(run.errors.contains(names[0]) && run.errors.contains(names[2]))
    }

    /// An output that cannot be written is an error before the work, which would fail here too.
    @Test func outputsThatCannotBeWrittenAreRefusedFirst() throws {
        let folder = try sources()
        for output in [
            "", folder.url.path, path(folder, "none/x"), folder.url.path + "/x/",
            path(folder, String(repeating: "x", count: 256)),
        ] {
            let run = try Command("datastore", "build", "-o", output, "--model", "no-such-model.gguf", "no-such-folder")
            #expect(run.isCleanFailure)
            #expect(run.errors.contains("cannot"), "\(run.errors)")
        }
    }

    @Test func anotherTokenizerIsRefused() throws {
        let folder = try sources()
        let store = path(folder, "out.store")
        #expect(
            try Command("datastore", "build", "-o", store, "--model", Fixture.llama, path(folder, "src")).status == 0)
        let query = try Command("datastore", "query", "--model", Fixture.qwen, store, "x")
        #expect(query.isCleanFailure)
        #expect(query.errors.contains("tiny-llama") && query.errors.contains("tiny-qwen2"))
    }

    @Test func otherFilesAreNotOverwritten() throws {
        let folder = try sources()
        let precious = path(folder, "src/a.py")
        let run = try Command("datastore", "build", "-o", precious, "--model", Fixture.llama, path(folder, "src"))
        #expect(run.isCleanFailure)
        #expect(try String(contentsOfFile: precious, encoding: .utf8).hasPrefix("def first"))
        for arguments in [["info", precious], ["verify", precious]] {
            #expect(try Command(["datastore"] + arguments).isCleanFailure)
        }
    }
}
