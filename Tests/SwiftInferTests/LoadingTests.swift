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

    @Test func modelsThatWereNotFetchedAreRefused() async {
        for (name, message) in [("hf:No/Such-Model", "swiftinfer pull"), ("no such model", "swiftinfer list")] {
            await expectRefusal(.unreadableFile, message) { try await Model.load(named: name) }
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
