// Models whose metadata and tensors contradict each other, or that this engine does not run.

import Foundation
import InferGGUF
import InferSupport
import InferTensors
import InferTransformer
import TestSupport
import Testing

@Suite("Loading")
struct LoadingTests {
    /// What one change to a sound model should be answered with.
    struct Refusal: CustomTestStringConvertible, Sendable {
        let name: String
        let code: InferenceError.Code
        /// A part of the message: the key or tensor concerned.
        let names: String
        let change: @Sendable (inout Metadata) -> Void
        var testDescription: String { name }
    }

    static let refusals: [Refusal] = [
        Refusal(name: "unknown architecture", code: .unsupportedArchitecture, names: "llama, maincoder") {
            $0["general.architecture"] = .string("rwkv7")
        },
        Refusal(name: "no architecture", code: .malformedModel, names: "general.architecture") {
            $0["general.architecture"] = nil
        },
        Refusal(name: "no blocks", code: .malformedModel, names: "llama.block_count") {
            $0["llama.block_count"] = .uint32(0)
        },
        Refusal(name: "more blocks than tensors", code: .malformedModel, names: "blk.") {
            $0["llama.block_count"] = .uint32(600)
        },
        Refusal(name: "absurd block count", code: .malformedModel, names: "llama.block_count") {
            $0["llama.block_count"] = .uint32(.max)
        },
        Refusal(name: "no heads", code: .malformedModel, names: "llama.attention.head_count") {
            $0["llama.attention.head_count"] = .uint32(0)
        },
        Refusal(name: "heads not in groups", code: .malformedModel, names: "llama.attention.head_count_kv") {
            $0["llama.attention.head_count_kv"] = .uint32(3)
        },
        Refusal(name: "width of text", code: .malformedModel, names: "llama.embedding_length") {
            $0["llama.embedding_length"] = .string("64")
        },
        Refusal(name: "other width", code: .malformedModel, names: "token_embd.weight") {
            $0["llama.embedding_length"] = .uint32(96)
        },
        Refusal(name: "infinite epsilon", code: .malformedModel, names: "layer_norm_rms_epsilon") {
            $0["llama.attention.layer_norm_rms_epsilon"] = .float32(.infinity)
        },
        Refusal(name: "ε of zero", code: .malformedModel, names: "layer_norm_rms_epsilon is 0.0") {
            $0["llama.attention.layer_norm_rms_epsilon"] = .float32(0)
        },
        Refusal(name: "negative ε", code: .malformedModel, names: "layer_norm_rms_epsilon is -1.0") {
            $0["llama.attention.layer_norm_rms_epsilon"] = .float64(-1)
        },
        Refusal(name: "ε that is no number", code: .malformedModel, names: "layer_norm_rms_epsilon is float32 nan") {
            $0["llama.attention.layer_norm_rms_epsilon"] = .float32(.nan)
        },
        Refusal(name: "ε of layer norm", code: .malformedModel, names: "attention.layer_norm_epsilon is 0.0") {
            $0["llama.attention.layer_norm_rms_epsilon"] = nil
            $0["llama.attention.layer_norm_epsilon"] = .float32(0)
        },
        Refusal(name: "no base", code: .malformedModel, names: "llama.rope.freq_base is 0.0") {
            $0["llama.rope.freq_base"] = .float32(0)
        },
        Refusal(name: "negative scaling", code: .malformedModel, names: "llama.rope.scaling.factor is -2.0") {
            $0["llama.rope.scaling.factor"] = .float32(-2)
        },
        Refusal(name: "no magnitude", code: .malformedModel, names: "llama.rope.scaling.attn_factor is 0.0") {
            $0["llama.rope.scaling.attn_factor"] = .float32(0)
        },
        Refusal(name: "YaRN without a base", code: .malformedModel, names: "llama.rope.freq_base is 1.0") {
            $0["llama.rope.scaling.type"] = .string("yarn")
            $0["llama.rope.freq_base"] = .float32(1)
        },
        Refusal(name: "negative context", code: .malformedModel, names: "llama.context_length") {
            $0["llama.context_length"] = .int32(-1)
        },
        Refusal(name: "odd rotation", code: .malformedModel, names: "llama.rope.dimension_count") {
            $0["llama.rope.dimension_count"] = .uint32(7)
        },
        Refusal(name: "unknown scaling", code: .unsupportedModel, names: "dynamic") {
            $0["llama.rope.scaling.type"] = .string("dynamic")
        },
        Refusal(name: "layers that differ from their tensors", code: .malformedModel, names: "blk.0.ffn_") {
            $0["llama.feed_forward_length"] = .array(MetadataArray([64, 128] as [UInt32]))
        },
        Refusal(name: "more experts used than there are", code: .malformedModel, names: "llama.expert_used_count") {
            $0["llama.expert_used_count"] = .uint32(2)
        },
    ]

    private func written(_ change: (inout Metadata) -> Void, retyping name: String? = nil) throws -> GGUFFile {
        let original = try Fixture.file("tiny-llama-f32")
        var writer = GGUFWriter(metadata: original.metadata)
        change(&writer.metadata)
        for tensor in original.tensors where tensor.name != name { try writer.addTensor(tensor, of: original) }
        if let name, let tensor = original.tensor(name) {
            let bytes = [UInt8](repeating: 0, count: tensor.elementCount)
            try writer.addTensor(name, type: TensorType(rawValue: 24), shape: tensor.shape, elements: bytes)
        }
        return try TemporaryModel(writer).file
    }

    @Test("Refused", arguments: refusals)
    func refused(_ refusal: Refusal) throws {
        let file = try written(refusal.change)
        let error = try #require(throws: InferenceError.self) {
            try TransformerModel(file, backend: CPUBackend(threads: 1))
        }
        #expect(error.code == refusal.code)
        #expect(error.message.contains(refusal.names), "\(error.message)")
        #expect(error.message.contains(file.path), "\(error.message)")
    }

    @Test("A scale of 0 stands for none")
    func zeroScales() throws {
        let file = try written {
            $0["llama.rope.scaling.factor"] = .float32(0)
        }
        #expect(throws: Never.self) { try TransformerModel(file, backend: CPUBackend(threads: 1)) }
    }

    @Test("A tensor without elements is no obstacle unless it is used")
    func emptyTensors() throws {
        let original = try Fixture.file("tiny-llama-f32")
        let backend = try CPUBackend(threads: 1)
        for (name, shape) in [("unused.weight", [0, 64]), ("blk.0.ffn_up.weight", [64, 0])] {
            var writer = GGUFWriter(metadata: original.metadata)
            try writer.addTensor(name, type: .f32, shape: shape, elements: [Float]())
            // Of what the first block's feed-forward layer has, nothing but empty matrices fits a width of 0.
            if name != "unused.weight" { writer.metadata["llama.feed_forward_length"] = .uint32(0) }
            for tensor in original.tensors where tensor.name != name {
                let isGate = name != "unused.weight" && tensor.name == "blk.0.ffn_gate.weight"
                if isGate { continue }
                try writer.addTensor(tensor, of: original)
            }
            let file = try TemporaryModel(writer).file
            if name == "unused.weight" {
                #expect(throws: Never.self) { try TransformerModel(file, backend: backend) }
            } else {
                let error = try #require(throws: InferenceError.self) { try TransformerModel(file, backend: backend) }
                #expect(error.message.contains(name) && error.message.contains("no elements"), "\(error)")
            }
        }
    }

    @Test("A tensor of a type without kernels is refused by name")
    func unsupportedType() throws {
        let file = try written({ _ in }, retyping: "blk.0.attn_q.weight")
        let error = try #require(throws: InferenceError.self) {
            try TransformerModel(file, backend: CPUBackend(threads: 1))
        }
        #expect(error.code == .unsupportedTensorType)
        #expect(error.message.contains("blk.0.attn_q.weight") && error.message.contains("I8"))
    }

    @Test("Loading reports its progress up to the end")
    func progress() throws {
        var fractions: [Double] = []
        _ = try TransformerModel(written { _ in }, backend: CPUBackend(threads: 1)) { fractions.append($0) }
        #expect(fractions.count > 5 && fractions.last == 1)
        #expect(zip(fractions, fractions.dropFirst()).allSatisfy { $0 <= $1 })
    }
}
