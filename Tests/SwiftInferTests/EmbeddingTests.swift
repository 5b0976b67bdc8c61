// Embeddings of texts.

import SwiftInfer
import TestSupport
import Testing

@Suite struct EmbeddingTests {
    private let tokens: [TokenID] = [7, 30, 4, 99, 12, 55, 4, 30]

    private func length(_ vector: [Float]) -> Double {
        vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    /// A token's state depends on the tokens before it alone, so the mean is that of the last states of all prefixes.
    @Test(arguments: ["tiny-llama-f32", "tiny-gemma3-f32", "tiny-qwen35moe-q8_0", "tiny-qwen4exp-q8_0"])
    func theMeanIsThatOfAllTokens(name: String) async throws {
        let model = try Fixture.model(name)
        let mean = try await model.embedding(of: .tokens(tokens), options: .init(pooling: .mean, isNormalized: false))
        #expect(mean.count == model.embeddingLength)
        var sums = [Double](repeating: 0, count: mean.count)
        for count in 1...tokens.count {
            let last = try await model.embedding(
                of: .tokens(Array(tokens.prefix(count))), options: .init(pooling: .last, isNormalized: false))
            for index in sums.indices { sums[index] += Double(last[index]) }
        }
        #expect(mean == sums.map { Float($0 * (1 / Double(tokens.count))) })
    }

    @Test func vectorsHaveLengthOne() async throws {
        let model = try Fixture.model()
        for pooling in EmbeddingOptions.Pooling.allCases {
            let vector = try await model.embedding(of: .text("func add(a: Int)"), options: .init(pooling: pooling))
            let raw = try await model.embedding(
                of: .text("func add(a: Int)"), options: .init(pooling: pooling, isNormalized: false))
            #expect(abs(length(vector) - 1) < 1e-6)
            let scale = Float(1 / length(raw))
            #expect(zip(vector, raw).allSatisfy { abs($0 - $1 * scale) < 1e-6 })
        }
    }

    /// More tokens than one step takes.
    @Test func longTextsAreComputedInChunks() async throws {
        let model = try Fixture.model("tiny-qwen35moe-q8_0")
        let tokens = try model.tokens(for: .text(longText))
        #expect(tokens.count > 512)
        let session = try model.makeSession(.init(contextLength: tokens.count + 1, cacheType: .f32, drafter: .none))
        let before = try await session.respond(to: .tokens(tokens), options: .exactly(1))
        let long = try await model.embedding(of: .tokens(tokens))
        #expect(try await model.embedding(of: .tokens(tokens)) == long)
        // Sessions of the model are as they were.
        let after = try await session.respond(to: .tokens(tokens), options: .exactly(1))
        #expect(after.statistics.logitsHash == before.statistics.logitsHash)
    }

    @Test func textsThatCannotBe() async throws {
        let model = try Fixture.model()
        await expectRefusal(.invalidArgument) { try await model.embedding(of: .tokens([-1])) }
        let limit = try #require(model.summary.contextLength)
        let long = [TokenID](repeating: 5, count: limit + 1)
        await expectRefusal(.contextFull) { try await model.embedding(of: .tokens(long)) }
        let task = Task { try await model.embedding(of: .tokens(tokens)) }
        task.cancel()
        await expectRefusal(.cancelled) { _ = try await task.value }
    }
}
