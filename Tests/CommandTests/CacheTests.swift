// `swiftinfer cache` and `swiftinfer remove` through the built program.

import Foundation
import TestSupport
import Testing

struct CacheTests {
    @Test func whatIsKeptIsShownAndCleared() throws {
        let folder = try TemporaryFolder()
        let drafts = folder.url.appendingPathComponent("swiftinfer/drafts")
        try FileManager.default.createDirectory(at: drafts, withIntermediateDirectories: true)
        try Data(count: 100).write(to: drafts.appendingPathComponent("a"))
        try Data(count: 23).write(to: drafts.appendingPathComponent("b"))
        let environment = [
            "XDG_CACHE_HOME": folder.url.path, "XDG_STATE_HOME": folder.url.path,
            "SWIFTINFER_MODELS": folder.url.appendingPathComponent("models").path,
        ]
        let kept = try #require(
            try Command("cache", "show", "--json", environment: environment).json()["kept"] as? [[String: Any]])
        let row = try #require(kept.first { $0["kind"] as? String == "drafts" })
        #expect(row["files"] as? Int == 2 && row["bytes"] as? Int == 123 && row["folder"] as? String == drafts.path)
        #expect(try Command("cache", "show", environment: environment).output.contains(drafts.path))

        #expect(try Command("cache", "clear", environment: environment).isCleanFailure)
        #expect(try Command("cache", "clear", "nothing", environment: environment).status == 64)
        #expect(try Command("cache", "clear", "history", "--yes", environment: environment).status == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: drafts.path).count == 2)
        #expect(try Command("cache", "clear", "--yes", environment: environment).status == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: drafts.path).isEmpty)
    }

    @Test func fetchedModelsHaveNames() throws {
        let folder = try TemporaryFolder()
        let environment = ["SWIFTINFER_MODELS": folder.url.path]
        for name in ["o/r/m-Q8_0.gguf", "o/r/m-Q4_0.gguf", "plain.gguf"] {
            let url = folder.url.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: Fixture.llama, toPath: url.path)
        }
        for name in ["plain", "plain.gguf", "o/r:q8_0", "hf:o/r:Q4_0", "m-Q8_0"] {
            #expect(try Command("show", name, environment: environment).status == 0, "\(name)")
        }
        let unclear = try Command("show", "o/r", environment: environment)
        #expect(unclear.isCleanFailure && unclear.errors.contains("o/r:Q4_0, o/r:Q8_0"))
        let missing = try Command("show", "hf:o/other", environment: environment)
        #expect(missing.isCleanFailure && missing.errors.contains("swiftinfer pull hf:o/other"))

        #expect(try Command("remove", "plain", environment: environment).isCleanFailure)
        #expect(try Command("remove", Fixture.llama, "--yes", environment: environment).isCleanFailure)
        #expect(try Command("remove", "plain", "o/r:Q4_0", "--yes", environment: environment).status == 0)
        let list = try Command("list", "--json", environment: environment).json()
        #expect((list["models"] as? [[String: Any]])?.map { $0["name"] as? String } == ["o/r:Q8_0"])
    }
}
