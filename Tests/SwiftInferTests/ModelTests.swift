// Loading models and what they say about themselves.

import Foundation
import InferGGUF
import InferSupport
import SwiftInfer
import Synchronization
import TestSupport
import Testing

@Suite struct ModelTests {
    @Test func theSummaryTellsTheFile() throws {
        let summary = try Fixture.model().summary
        #expect(summary.architecture == "llama")
        #expect(summary.name == "tiny-llama")
        #expect(summary.layers == 2)
        #expect(summary.width == 64)
        #expect(summary.feedForwardWidth == 96)
        #expect(summary.heads == 4)
        #expect(summary.keyValueHeads == 2)
        #expect(summary.experts == nil)
        #expect(summary.contextLength == 2048)
        #expect(summary.vocabularySize == 309)
        #expect(summary.tokenizer == "gpt2")
        #expect(summary.preTokenizer == "llama-bpe")
        #expect(summary.hasChatTemplate)
        #expect(summary.types.map(\.type) == [.f32])
        #expect(summary.types[0].tensors == 21)
        #expect(summary.types[0].bytes == 4 * summary.parameterCount)
        let attributes = try FileManager.default.attributesOfItem(atPath: Fixture.path("tiny-llama-f32"))
        #expect(attributes[.size] as? Int == summary.fileSize)
    }

    @Test func theSummaryOfAMixtureOfExperts() throws {
        let summary = try Fixture.model("tiny-llama-moe-f32").summary
        #expect((summary.experts?.total ?? 0) > (summary.experts?.used ?? 0))
        #expect((summary.experts?.used ?? 0) > 0)
    }

    @Test func aSplitModelIsOneModel() async throws {
        let split = try Fixture.model("tiny-llama-split-f32-00001-of-00003")
        #expect(split.summary.fileSize > 150_000)
        let response = try await split.makeSession(.plain).respond(to: .text("let"), options: .exactly(4))
        #expect(response.statistics.tokens.count == 4)
    }

    @Test func progressRisesToOne() throws {
        let progress = Mutex<[Double]>([])
        _ = try Model(contentsOf: Fixture.path("tiny-llama-f32")) { share in progress.withLock { $0.append(share) } }
        let shares = progress.withLock { $0 }
        #expect(shares == shares.sorted())
        #expect(shares.last == 1)
    }

    @Test func whatCannotBeLoaded() throws {
        expectRefusal(.unreadableFile) { try Model(contentsOf: Fixture.path("no-such-model")) }
        expectRefusal(.unreadableFile) { try Model(contentsOf: Fixture.folder.path) }
        expectRefusal(.malformedModel) { try Model(contentsOf: #filePath) }
        expectRefusal(.invalidArgument) {
            try Model(contentsOf: Fixture.path("tiny-llama-f32"), options: .init(threads: 0))
        }
    }
}
