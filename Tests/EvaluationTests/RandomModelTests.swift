// Models with random weights: their tensors and bytes.

import Foundation
import InferEvaluation
import InferGGUF
import SwiftInfer
import TestSupport
import Testing

struct RandomModelTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The path of a model with one layer.
    private func made(_ name: String, _ type: TensorType) throws -> String {
        let shape = try #require(ModelShape.all.first { $0.name == "smollm2-135m" })
        let path = folder.path(name)
        try RandomModel(shape, layers: 1, type: type).writer { _ in }.write(to: path)
        return path
    }

    @Test(arguments: [TensorType.q4_0, .q4_K, .q8_0, .f16]) func modelsCanBeRun(type: TensorType) throws {
        let model = try Fixture.model(made("model.gguf", type))
        let scorer = try Scorer(model, capacity: 2, cacheType: .f32)
        try scorer.score([1, 2], from: 0) { _, next in
            // The weights have a realistic spread, so that no token is certain.
            for token in next.top(5) { #expect(token.logProbability < -1 && token.logProbability > -12) }
        }
    }

    @Test func rowsThatDoNotFillBlocksGetAnotherType() throws {
        let file = try GGUFFile(path: made("model.gguf", .q4_K))
        #expect(file.tensor("blk.0.attn_q.weight")?.type == .q5_0)
        #expect(file.tensor("blk.0.ffn_down.weight")?.type == .q4_K)
        #expect(file.tensor("token_embd.weight")?.type == .q8_0)
        #expect(file.tensor("blk.0.attn_norm.weight")?.type == .f32)
        #expect(file.tensor("blk.1.attn_norm.weight") == nil)
    }

    @Test func theSameArgumentsGiveTheSameBytes() throws {
        let first = try Data(contentsOf: URL(filePath: made("a.gguf", .q4_1)))
        let second = try Data(contentsOf: URL(filePath: made("b.gguf", .q4_1)))
        #expect(first == second)
    }
}
