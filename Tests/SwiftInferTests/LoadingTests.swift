// Loading by URL and by name, and what stops it.

import Foundation
import SwiftInfer
import Synchronization
import TestSupport
import Testing

@Suite struct LoadingTests {
    private static let url = URL(fileURLWithPath: Fixture.path("tiny-llama-f32"))

    @Test func modelsAreLoadedFromURLs() async throws {
        let shares = Mutex<[Double]>([])
        let model = try await Model.load(from: Self.url, options: .init(threads: 1)) { share in
            shares.withLock { $0.append(share) }
        }
        let same = try Fixture.model()
        let prompt = Prompt.text("let x = ")
        let found = try await model.makeSession(.plain).respond(to: prompt, options: .exactly(8)).statistics
        #expect(
            try await same.makeSession(.plain).respond(to: prompt, options: .exactly(8)).statistics.logitsHash
                == found.logitsHash)
        #expect(shares.withLock { $0.last == 1 && $0 == $0.sorted() && $0.count > 5 })
        await expectRefusal(.invalidArgument, "https://x.org/m.gguf") {
            try await Model.load(from: try #require(URL(string: "https://x.org/m.gguf")))
        }
        await expectRefusal(.unreadableFile, "missing") {
            try await Model.load(from: URL(fileURLWithPath: "/missing.gguf"))
        }
    }

    @Test func cancellingStopsBetweenTensors() async throws {
        let tensors = Mutex(0)
        let task = Task {
            try await Model.load(from: Self.url, options: .init(threads: 1)) { _ in
                if tensors.withLock({
                    $0 += 1; return $0
                }) == 3 {
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
        }
        await expectRefusal(.cancelled, "tiny-llama-f32") { try await task.value }
        #expect(tensors.withLock { $0 } == 3)
    }

    @Test func modelsAreFoundByTheirNames() async throws {
        let folder = try TemporaryFolder()
        for name in [
            "Tiny-Llama.Q4_1.gguf", "tiny-llama-2.gguf", "big-00001-of-00002.gguf", "big-00002-of-00002.gguf",
            "note.txt",
        ] {
            try FileManager.default.copyItem(atPath: Fixture.path("tiny-llama-f32"), toPath: folder.path(name))
        }
        func path(_ name: String) throws(InferenceError) -> String { try Model.path(named: name, in: folder.url.path) }
        #expect(try path("tiny-llama-2") == folder.path("tiny-llama-2.gguf"))
        #expect(try path("TINY-LLAMA.Q4_1") == folder.path("Tiny-Llama.Q4_1.gguf"))
        #expect(try path("big") == folder.path("big-00001-of-00002.gguf"))
        expectRefusal(.invalidArgument, "several", "Tiny-Llama.Q4_1.gguf, tiny-llama-2.gguf") { try path("tiny-llama") }
        for name in ["note", "qwen", "tiny-ll"] {
            expectRefusal(.unreadableFile, "swiftinfer pull \(name)") { try path(name) }
        }
        for name in ["", "a/b", "../x"] { expectRefusal(.invalidArgument, "not the name") { try path(name) } }
        await expectRefusal(.unreadableFile, "swiftinfer pull no-such-model") {
            try await Model.load(named: "no-such-model")
        }
    }

    @Test func errorsAreCaughtByTheirCodes() {
        do {
            _ = try Model(contentsOf: "/missing.gguf")
        } catch InferenceError.Code.malformedModel {
            Issue.record("the wrong code")
        } catch InferenceError.Code.unreadableFile {
            return
        } catch {
            Issue.record("no code matched")
        }
    }

    @Test func summariesAreWorthPrinting() throws {
        let text = "\(try Fixture.model("tiny-llama-q4_k").summary)"
        #expect(
            text.contains("llama") && text.contains("parameters (") && text.contains("MiB") && text.contains("context"))
        #expect(!text.contains("\n"))
    }
}
