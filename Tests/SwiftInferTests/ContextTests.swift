// The limits of a session's memory.

import InferGGUF
import InferSupport
import SwiftInfer
import TestSupport
import Testing

@Suite struct ContextTests {
    private let tokens: [TokenID] = Array(40..<50)

    @Test func theContextEndsAnAnswer() async throws {
        let session = try Fixture.model().makeSession(.init(contextLength: 16, drafter: .none))
        let response = try await session.respond(to: .tokens(tokens), options: .exactly(100))
        #expect(response.statistics.finishReason == .contextFull)
        #expect(response.statistics.tokens.count == 6)
        #expect(await session.tokens.count == 16)
        let roomy = try Fixture.model().makeSession(.init(contextLength: 64, drafter: .none))
        let longer = try await roomy.respond(to: .tokens(tokens), options: .exactly(6))
        #expect(longer.statistics.tokens == response.statistics.tokens)
    }

    @Test func aPromptMayFillTheContext() async throws {
        let session = try Fixture.model().makeSession(.init(contextLength: 10, drafter: .none))
        let response = try await session.respond(to: .tokens(tokens), options: .exactly(100))
        #expect(response.statistics.finishReason == .contextFull)
        #expect(response.statistics.tokens.isEmpty)
    }

    @Test func aPromptThatDoesNotFitIsAnErrorWithNumbers() async throws {
        let session = try Fixture.model().makeSession(.init(contextLength: 9, drafter: .none))
        _ = try await session.respond(to: .tokens(Array(tokens.prefix(4))), options: .exactly(1))
        await expectRefusal(.contextFull, "10", "9") { try await session.respond(to: .tokens(tokens)) }
        #expect(await session.tokens.count == 5)
    }

    @Test(arguments: [0, -1, .min, 1 << 31, .max]) func contextLengthsOutOfRangeAreRefused(length: Int) throws {
        let model = try Fixture.model()
        let options = Session.Options(contextLength: length, drafter: .none)
        expectRefusal(.invalidArgument) { try model.makeSession(options) }
        expectRefusal(.invalidArgument) { try model.memoryEstimate(for: options) }
    }

    @Test func theDefaultLengthIsTheTrainedOne() throws {
        let model = try Fixture.model()
        #expect(try model.makeSession(.plain).contextLength == model.summary.contextLength)
    }

    @Test func theLongestContextFitsTheMemory() throws {
        let original = try Fixture.file("tiny-llama-f32")
        var writer = GGUFWriter(metadata: original.metadata)
        writer.metadata["llama.context_length"] = .uint32(100_000)
        for tensor in original.tensors { try writer.addTensor(tensor, of: original) }
        let folder = try TemporaryFolder()
        try writer.write(to: folder.path("long.gguf"))
        let model = try Model(contentsOf: folder.path("long.gguf"), options: .init(threads: 1))
        func estimate(_ length: Int) throws -> Int {
            try model.memoryEstimate(for: .init(contextLength: length, cacheType: .f16))
        }
        let perToken = try (estimate(5120) - estimate(1024)) / 4096
        #expect(model.contextLength(within: .max, cacheType: .f16) == 100_000)
        #expect(model.contextLength(within: 0, cacheType: .f16) == 4096)
        #expect(model.contextLength(within: 50_000 * perToken, cacheType: .f16) == 49_152)
        #expect(model.contextLength(within: 50_000 * perToken, cacheType: .f32) < 49_152)
        #expect(try Fixture.model().contextLength(within: .max, cacheType: .f16) == 2048)
    }

    @Test(arguments: KVCacheType.allCases) func theEstimateGrowsByTheCache(type: KVCacheType) throws {
        let model = try Fixture.model("tiny-gpt-oss-mxfp4")
        let short = try model.memoryEstimate(for: .init(contextLength: 1024, cacheType: type))
        let long = try model.memoryEstimate(for: .init(contextLength: 3072, cacheType: type))
        let float = try model.memoryEstimate(for: .init(contextLength: 3072, cacheType: .f32))
        #expect(long > short)
        #expect(type == .f32 ? float == long : float > long)
    }
}
