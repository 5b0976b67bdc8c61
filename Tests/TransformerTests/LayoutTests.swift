// Files that say the same in different ways: fused matrices, arrays, keys by default, keys that an architecture does not have.

import Foundation
import InferGGUF
import InferTensors
import InferTransformer
import TestSupport
import Testing

@Suite("Files that say the same")
struct LayoutTests {
    /// Two changes to the metadata of a fixture after which it computes the same.
    struct Pair: CustomTestStringConvertible, Sendable {
        let name: String, fixture: String
        var first: @Sendable (inout Metadata) -> Void = { _ in }
        let second: @Sendable (inout Metadata) -> Void
        var testDescription: String { name }
    }

    static let pairs = [
        Pair(name: "experts used by block", fixture: "tiny-llama-moe-f32") {
            $0["llama.expert_used_count"] = .array(MetadataArray([2, 2] as [UInt32]))
        },
        Pair(name: "keys that Llama does not have", fixture: "tiny-llama-yarn-f32") {
            $0["llama.expert_weights_scale"] = .float32(-1)
            $0["llama.rope.scaling.yarn_beta_fast"] = .float32(0)
            $0["llama.rope.scaling.yarn_log_multiplier"] = .float32(0.5)
            $0["llama.rope.freq_base_swa"] = .float32(50)
            $0["llama.attention.layer_norm_epsilon"] = .float32(0.1)
            $0["llama.attention.scale"] = .float32(2)
        },
        Pair(name: "the ε of a root mean square, with layer norms", fixture: "tiny-stablelm-q8_0") {
            $0["stablelm.attention.layer_norm_rms_epsilon"] = .float32(0.1)
        },
        Pair(name: "an ε under the name of layer norms'", fixture: "tiny-nemotron_h-q8_0") {
            $0["nemotron_h.attention.layer_norm_rms_epsilon"] = nil
        },
        Pair(name: "another base in windows, where there is one base", fixture: "tiny-mellum-q8_0") {
            $0["mellum.rope.freq_base_swa"] = .float32(50)
        },
        Pair(name: "a soft cap by default", fixture: "tiny-gemma4-q8_0") {
            $0["gemma4.final_logit_softcapping"] = .float32(30)
        } second: {
            $0["gemma4.final_logit_softcapping"] = nil
        },
        Pair(name: "no scale of logits", fixture: "tiny-granitehybrid-q8_0") {
            $0["granitehybrid.logit_scale"] = .float32(1)
        } second: {
            $0["granitehybrid.logit_scale"] = nil
        },
        Pair(name: "weights that are not normalised by default", fixture: "tiny-laguna-q8_0") {
            $0["laguna.expert_weights_norm"] = .bool(false)
        } second: {
            $0["laguna.expert_weights_norm"] = nil
        },
        Pair(name: "weights that are always normalised", fixture: "tiny-lfm2moe-q8_0") {
            $0["lfm2moe.expert_weights_norm"] = .bool(false)
        },
        Pair(name: "rotation that granitemoe cannot switch off", fixture: "tiny-granitemoe-q8_0") {
            $0["granitemoe.rope.scaling.finetuned"] = .bool(false)
        },
        Pair(name: "a width of the shared expert that nobody needs", fixture: "tiny-qwen2moe-q8_0") {
            $0["qwen2moe.expert_shared_feed_forward_length"] = nil
        },
        Pair(name: "sections that all turn with time", fixture: "tiny-qwen35moe-q8_0") {
            $0["qwen35moe.rope.dimension_sections"] = nil
        },
    ]

    private static let tokens: [Int32] = [7, 3, 60, 41, 5, 19, 7, 28, 3, 60, 2, 11]

    private func rows(_ writer: GGUFWriter) throws -> [[UInt32]] {
        try TransformerModel(TemporaryModel(writer).file, backend: CPUBackend(threads: 1)).oneByOne(Self.tokens)
    }

    private func writer(_ original: GGUFFile, without names: Set<String> = []) throws -> GGUFWriter {
        var writer = GGUFWriter(metadata: original.metadata)
        for tensor in original.tensors where !names.contains(tensor.name) { try writer.addTensor(tensor, of: original) }
        return writer
    }

    @Test("Metadata", arguments: pairs)
    func metadata(_ pair: Pair) throws {
        var (first, second) = try (writer(Fixture.file(pair.fixture)), writer(Fixture.file(pair.fixture)))
        pair.first(&first.metadata)
        pair.second(&second.metadata)
        #expect(try rows(first) == rows(second))
    }

    @Test("Sections that turn with something else than time are still, and pairs of GLM 4 are of halves with sections")
    func sections() throws {
        for (fixture, key) in [("tiny-qwen35moe-q8_0", "qwen35moe"), ("tiny-glm4-q8_0", "glm4")] {
            let original = try writer(Fixture.file(fixture))
            var changed = original
            changed.metadata[key + ".rope.dimension_sections"] = .array(MetadataArray([1, 1, 0, 2] as [Int32]))
            #expect(try rows(original) != rows(changed))
        }
    }

    /// With a bias for all or one for each.
    @Test(
        "Queries, keys and values in one matrix",
        arguments: ["tiny-llama-bias-f32", "tiny-qwen3next-q8_0", "tiny-kimi-linear-q8_0"])
    func fusedMatrices(_ fixture: String) throws {
        let original = try Fixture.file(fixture)
        let names = ["attn_q", "attn_k", "attn_v"]
        let blocks = (0..<8).filter { block in names.allSatisfy { original.tensor("blk.\(block).\($0).weight") != nil }
        }
        var fused = try writer(
            original, without: Set(blocks.flatMap { block in names.map { "blk.\(block).\($0).weight" } }))
        for block in blocks {
            let parts = try names.map { try #require(original.tensor("blk.\(block).\($0).weight")) }
            try fused.addTensor(
                "blk.\(block).attn_qkv.weight", type: parts[0].type,
                shape: [parts[0].columns, parts.reduce(0) { $0 + $1.rows }],
                elements: parts.flatMap { [UInt8](original.bytes(of: $0)) })
        }
        #expect(!blocks.isEmpty)
        #expect(try rows(writer(original)) == rows(fused))
    }

    @Test("Layers that share keys and values may have matrices for their own")
    func unusedMatrices() throws {
        let original = try Fixture.file("tiny-gemma4-ple-q8_0")
        var changed = try writer(original)
        for name in ["attn_k.weight", "attn_v.weight", "attn_k_norm.weight"] {
            let tensor = try #require(original.tensor("blk.0.\(name)"))
            try changed.addTensor(
                "blk.3.\(name)", type: tensor.type, shape: tensor.shape, elements: [UInt8](original.bytes(of: tensor)))
        }
        #expect(try rows(writer(original)) == rows(changed))
    }
}
