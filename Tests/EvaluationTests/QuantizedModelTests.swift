// Quantised models: which tensors change, and what stays as it is.

import Foundation
import InferEvaluation
import InferGGUF
import InferSupport
import InferTensors
import SwiftInfer
import TestSupport
import Testing

struct QuantizedModelTests {
    private let folder: TemporaryFolder
    /// The path of the quantised file.
    private let output: String

    init() throws {
        folder = try TemporaryFolder()
        output = folder.path("quantized.gguf")
    }

    /// Quantises the model at `input`.
    @discardableResult
    private func quantize(
        _ input: String, _ type: TensorType, pure: Bool = false, threads: Int = 2
    ) throws -> QuantizationPlan {
        let file = try GGUFFile(path: input)
        let plan = QuantizationPlan(file, type: type, pure: pure)
        let converter = try TensorConverter(threads: threads)
        try QuantizedModel(file, plan, type: type).writer(converter) { fraction, _ in
            #expect((0...1).contains(fraction))
        }.write(to: output)
        return plan
    }

    @Test func matricesChangeAndNothingElse() throws {
        try quantize(Fixture.llama, .q4_0)
        let (before, after) = (try GGUFFile(path: Fixture.llama), try GGUFFile(path: output))
        #expect(after.tensors.map(\.name) == before.tensors.map(\.name))
        #expect(after.tensors.map(\.shape) == before.tensors.map(\.shape))
        for (old, new) in zip(before.tensors, after.tensors) {
            switch new.name {
            // Rows of 64 do not fill Q6_K's blocks.
            case "output.weight": #expect(new.type == .q8_0)
            case _ where new.shape.count == 2: #expect(new.type == .q4_0)
            default:
                #expect(new.type == .f32)
                #expect(Array(after.bytes(of: new)) == Array(before.bytes(of: old)))
            }
        }
        #expect(after.metadata["general.file_type"] == .uint32(2))
        #expect(after.metadata["general.quantization_version"] == .uint32(2))
        for key in before.metadata.keys where !["general.file_type", "general.quantization_version"].contains(key) {
            #expect(after.metadata[key] == before.metadata[key])
        }
        #expect(after.metadata.keys.count <= before.metadata.keys.count + 2)
    }

    /// The distributions of the quantised model stay close to those of the original.
    @Test(arguments: [(TensorType.q8_0, 0.15), (.f16, 0.005), (.bf16, 0.06), (.q5_1, 0.8)])
    func distributionsStayClose(type: TensorType, bound: Double) throws {
        try quantize(Fixture.llama, type)
        func rows(_ path: String) throws -> [[TokenID: Double]] {
            let scorer = try Scorer(Fixture.model(path), capacity: 8, cacheType: .f32)
            var rows: [[TokenID: Double]] = []
            try scorer.score([304, 10, 20, 30, 40], from: 0) { _, next in
                rows.append(
                    Dictionary(uniqueKeysWithValues: next.top(300).map { ($0.token, Double($0.logProbability)) }))
            }
            return rows
        }
        for (ours, original) in zip(try rows(output), try rows(Fixture.llama)) {
            let distance = original.reduce(0) { $0 + exp($1.value) * abs($1.value - (ours[$1.key] ?? -100)) }
            #expect(distance < bound)
        }
    }

    @Test(arguments: [TensorType.q4_1, .q2_K, .q5_K, .iq4_xs, .mxfp4])
    func threadsDoNotChangeTheBytes(type: TensorType) throws {
        try quantize(Fixture.qwen, type, threads: 1)
        let one = try Data(contentsOf: URL(filePath: output))
        try quantize(Fixture.qwen, type, threads: 3)
        #expect(try Data(contentsOf: URL(filePath: output)) == one)
    }

    @Test func blocksThatDoNotFitAreReplaced() throws {
        let plan = try quantize(Fixture.llama, .q4_K, pure: true)
        let file = try GGUFFile(path: output)
        #expect(file.tensors.allSatisfy { $0.type == ($0.shape.count == 2 ? .q5_0 : .f32) })
        for columns in [64, 96] {
            #expect(
                plan.notes.contains {
                    $0.hasSuffix("rows of \(columns) do not fill blocks of Q4_K: Q5_0 instead")
                })
        }
    }

    @Test func quantizedTensorsAreKeptOrNoted() throws {
        let source = Fixture.path("tiny-llama-q4_0")
        let plan = try quantize(source, .q4_0, pure: true)
        let before = try GGUFFile(path: source), after = try GGUFFile(path: output)
        let name = "blk.0.ffn_up.weight"
        let (old, new) = (try #require(before.tensor(name)), try #require(after.tensor(name)))
        #expect(old.type == .q4_0)
        #expect(Array(after.bytes(of: new)) == Array(before.bytes(of: old)))
        #expect(!plan.converted.contains { $0.tensor.name == name })
        #expect(try quantize(source, .q8_0).notes.contains { $0.contains("quantised before") })
    }

    @Test func splitModelsBecomeOneFile() throws {
        let source = Fixture.path("tiny-llama-split-f32-00001-of-00003")
        try quantize(source, .f16)
        let file = try GGUFFile(path: output)
        #expect(!file.metadata.keys.contains { $0.hasPrefix("split.") })
        #expect(file.tensors.count == (try GGUFFile(path: source).tensors.count))
        _ = try Fixture.model(output)
    }

    @Test func expertsAreQuantizedAndTheirRoutersAreNot() throws {
        try quantize(Fixture.path("tiny-qwen3moe-f32"), .q8_0)
        let file = try GGUFFile(path: output)
        let types = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.type) })
        #expect(types["blk.0.ffn_gate_inp.weight"] == .f32)
        #expect(types["blk.0.ffn_down_exps.weight"] == .q8_0)
        #expect(types["blk.0.attn_q_norm.weight"] == .f32)
    }

    @Test func cancellationEndsWriting() async throws {
        let source = Fixture.llama
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try quantize(source, .q4_0)
        }
        let result = await task.result
        #expect(throws: InferenceError.self) { try result.get() }
        #expect(!FileManager.default.fileExists(atPath: output))
    }
}
