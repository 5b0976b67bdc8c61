// The sizes and names of real models: everything in their files except the weights.

import InferGGUF
import InferTokenizers

/// The shape of a real model.
package struct ModelShape: Sendable {
    /// A tensor of a file.
    struct Tensor: Sendable {
        enum Kind: Sendable {
            /// Equal values.
            case vector(Float)
            /// A random matrix in the file's type, in that of output matrices, or in f32.
            case matrix, output, float
        }
        let name: String
        let columns: Int
        var rows = 1, experts = 1
        let kind: Kind

        var elementCount: Int { columns * rows * experts }
        var extents: [Int] {
            if case .vector = kind { return [columns] }
            return experts == 1 ? [columns, rows] : [columns, rows, experts]
        }

        static func vector(_ name: String, _ count: Int, _ value: Float = 1) -> Tensor {
            Tensor(name: name, columns: count, kind: .vector(value))
        }
        static func matrix(
            _ name: String, _ columns: Int, _ rows: Int, experts: Int = 1, _ kind: Kind = .matrix
        ) -> Tensor {
            Tensor(name: name + ".weight", columns: columns, rows: rows, experts: experts, kind: kind)
        }
    }

    package let name: String
    let architecture: String
    package let layers: Int
    let width: Int
    let vocabulary: Int
    /// Whether the embedding matrix is also the output matrix.
    var isTied = false
    /// The keys of the architecture, without its name in front, for a number of blocks.
    let keys: @Sendable (_ layers: Int) -> [String: MetadataValue]
    /// The tensors of a block of so many, without `blk.N.` in front.
    let block: @Sendable (_ layer: Int, _ layers: Int) -> [Tensor]
    /// The tensors of no block, besides embedding, last norm and outputs.
    var others: @Sendable (_ layers: Int) -> [Tensor] = { _ in [] }

    /// All tensors of a file with `layers` blocks.
    func tensors(layers: Int) -> [Tensor] {
        var tensors = [Tensor.matrix("token_embd", width, vocabulary, isTied ? .output : .matrix)]
        tensors += others(layers)
        for layer in 0..<layers {
            tensors += block(layer, layers).map {
                Tensor(
                    name: "blk.\(layer).\($0.name)", columns: $0.columns, rows: $0.rows, experts: $0.experts,
                    kind: $0.kind)
            }
        }
        tensors.append(.vector("output_norm.weight", width))
        if !isTied { tensors.append(.matrix("output", width, vocabulary, .output)) }
        return tensors
    }

    /// The metadata of a model of this shape with `layers` blocks. The vocabulary consists of the 256 bytes, fillers and an end
    /// token.
    func metadata(layers: Int) -> Metadata {
        var metadata = Metadata()
        metadata["general.architecture"] = .string(architecture)
        metadata["general.name"] = .string("random weights in the shape of \(name)")
        var keys = keys(layers)
        keys["block_count"] = .uint32(UInt32(layers))
        keys["embedding_length"] = .uint32(UInt32(width))
        keys["vocab_size"] = .uint32(UInt32(vocabulary))
        for (key, value) in keys.sorted(by: { $0.key < $1.key }) { metadata["\(architecture).\(key)"] = value }
        metadata["tokenizer.ggml.model"] = .string("gpt2")
        metadata["tokenizer.ggml.pre"] = .string("gpt-2")
        let bytes = ByteAlphabet.encoded.map { String(decoding: $0, as: UTF8.self) }
        let fillers = (bytes.count..<vocabulary - 1).map { "<filler-\($0)>" }
        metadata["tokenizer.ggml.tokens"] = .array(MetadataArray(bytes + fillers + ["<end>"]))
        let kinds = [Int32](repeating: 1, count: vocabulary - 1) + [3]
        metadata["tokenizer.ggml.token_type"] = .array(MetadataArray(kinds))
        // Readers require a list of merges. No text contains the two fillers of this one.
        metadata["tokenizer.ggml.merges"] = .array(MetadataArray(["\(fillers[0]) \(fillers[1])"]))
        metadata["tokenizer.ggml.eos_token_id"] = .uint32(UInt32(vocabulary - 1))
        metadata["tokenizer.ggml.add_bos_token"] = .bool(false)
        return metadata
    }

    /// All shapes, smallest first within their kind.
    package static let all = [
        dense(
            "smollm2-135m", "llama", layers: 30, width: 576, inner: 1536, heads: 9, keyValueHeads: 3,
            vocabulary: 49_152, contextLength: 8192, ropeBase: 100_000, isTied: true),
        dense(
            "qwen2.5-coder-0.5b", "qwen2", layers: 24, width: 896, inner: 4864, heads: 14, keyValueHeads: 2,
            vocabulary: 151_936, contextLength: 32_768, ropeBase: 1_000_000, hasBiases: true, isTied: true),
        dense(
            "dsc-1.3b", "llama", layers: 24, width: 2048, inner: 5504, heads: 16, keyValueHeads: 16,
            vocabulary: 32_256, contextLength: 16_384, ropeBase: 100_000, ropeFactor: 4),
        dense(
            "qwen2.5-coder-1.5b", "qwen2", layers: 28, width: 1536, inner: 8960, heads: 12, keyValueHeads: 2,
            vocabulary: 151_936, contextLength: 32_768, ropeBase: 1_000_000, hasBiases: true, isTied: true),
        dense(
            "llama-7b", "llama", layers: 32, width: 4096, inner: 11_008, heads: 32, keyValueHeads: 32,
            vocabulary: 32_000, contextLength: 4096, ropeBase: 10_000),
        deltaNet("qwen3.6-35b-a3b", "qwen35moe", layers: 40, vocabulary: 248_320, experts: 256, used: 8),
        deltaNet("qwen3-coder-next", "qwen3next", layers: 48, vocabulary: 151_936, experts: 512, used: 10),
        deepSeekLite, gemma4,
    ]

    private static func counts(_ values: [String: Int]) -> [String: MetadataValue] {
        values.mapValues { .uint32(UInt32($0)) }
    }
}

extension ModelShape {
    /// Llama and its like.
    private static func dense(
        _ name: String, _ architecture: String, layers: Int, width: Int, inner: Int, heads: Int, keyValueHeads: Int,
        vocabulary: Int, contextLength: Int, ropeBase: Float, ropeFactor: Float = 1, hasBiases: Bool = false,
        isTied: Bool = false
    ) -> ModelShape {
        let keyWidth = keyValueHeads * (width / heads)
        return ModelShape(
            name: name, architecture: architecture, layers: layers, width: width, vocabulary: vocabulary,
            isTied: isTied
        ) { _ in
            var keys = counts([
                "context_length": contextLength, "feed_forward_length": inner, "attention.head_count": heads,
                "attention.head_count_kv": keyValueHeads, "rope.dimension_count": width / heads,
            ])
            keys["attention.layer_norm_rms_epsilon"] = .float32(1e-6)
            keys["rope.freq_base"] = .float32(ropeBase)
            if ropeFactor != 1 {
                keys["rope.scaling.type"] = .string("linear")
                keys["rope.scaling.factor"] = .float32(ropeFactor)
            }
            return keys
        } block: { _, _ in
            let biases: [Tensor] =
                hasBiases
                ? [("attn_q", width), ("attn_k", keyWidth), ("attn_v", keyWidth)].map { .vector($0 + ".bias", $1, 0.1) }
                : []
            return [
                .vector("attn_norm.weight", width), .matrix("attn_q", width, width),
                .matrix("attn_k", width, keyWidth), .matrix("attn_v", width, keyWidth),
                .matrix("attn_output", width, width), .vector("ffn_norm.weight", width),
                .matrix("ffn_gate", width, inner), .matrix("ffn_up", width, inner), .matrix("ffn_down", inner, width),
            ] + biases
        }
    }

    /// Three gated delta nets to one layer of gated attention, with experts: Qwen 3.5, 3.6 and Qwen3-Next of 35 and 80 thousand
    /// million weights, which differ in the number of layers and experts.
    private static func deltaNet(
        _ name: String, _ architecture: String, layers: Int, vocabulary: Int, experts: Int, used: Int
    ) -> ModelShape {
        let (width, inner, heads, keyValueHeads, length) = (2048, 512, 16, 2, 256)
        let (keyHeads, valueHeads, state) = (16, 32, 128)
        let (keys, values) = (keyHeads * state, valueHeads * state)
        return ModelShape(
            name: name, architecture: architecture, layers: layers, width: width, vocabulary: vocabulary
        ) { _ in
            var metadata = counts([
                "context_length": 262_144, "feed_forward_length": inner, "attention.head_count": heads,
                "attention.head_count_kv": keyValueHeads, "attention.key_length": length,
                "attention.value_length": length, "rope.dimension_count": length / 4, "ssm.conv_kernel": 4,
                "ssm.inner_size": values, "ssm.state_size": state, "ssm.group_count": keyHeads,
                "ssm.time_step_rank": valueHeads, "full_attention_interval": 4, "expert_count": experts,
                "expert_used_count": used, "expert_feed_forward_length": inner,
                "expert_shared_feed_forward_length": inner,
            ])
            metadata["attention.layer_norm_rms_epsilon"] = .float32(1e-6)
            metadata["rope.freq_base"] = .float32(10_000_000)
            if architecture != "qwen3next" {
                metadata["rope.dimension_sections"] = .array(MetadataArray([11, 11, 10, 0] as [Int32]))
            }
            return metadata
        } block: { layer, _ in
            var tensors: [Tensor] = [
                .vector("attn_norm.weight", width), .vector("post_attention_norm.weight", width),
                .matrix("ffn_gate_inp", width, experts, .float), .vector("ffn_gate_inp_shexp.weight", width, 0.01),
                .matrix("ffn_gate_exps", width, inner, experts: experts),
                .matrix("ffn_up_exps", width, inner, experts: experts),
                .matrix("ffn_down_exps", inner, width, experts: experts), .matrix("ffn_gate_shexp", width, inner),
                .matrix("ffn_up_shexp", width, inner), .matrix("ffn_down_shexp", inner, width),
            ]
            if (layer + 1) % 4 == 0 {
                tensors += [
                    .matrix("attn_q", width, 2 * heads * length), .matrix("attn_k", width, keyValueHeads * length),
                    .matrix("attn_v", width, keyValueHeads * length), .matrix("attn_output", heads * length, width),
                    .vector("attn_q_norm.weight", length), .vector("attn_k_norm.weight", length),
                ]
            } else {
                tensors += [
                    .matrix("attn_qkv", width, 2 * keys + values), .matrix("attn_gate", width, values),
                    .matrix("ssm_conv1d", 4, 2 * keys + values, .float), .vector("ssm_a", valueHeads, -1),
                    .vector("ssm_dt.bias", valueHeads, -3), .vector("ssm_norm.weight", state),
                    .matrix("ssm_out", values, width),
                ]
                tensors +=
                    architecture == "qwen3next"
                    ? [.matrix("ssm_ba", width, 2 * valueHeads)]
                    : [.matrix("ssm_alpha", width, valueHeads), .matrix("ssm_beta", width, valueHeads)]
            }
            return tensors
        }
    }

    /// DeepSeek-Coder-V2-Lite: latent attention, and experts behind the first block.
    private static var deepSeekLite: ModelShape {
        let (width, heads, latent, rotated, plain, value) = (2048, 16, 512, 64, 128, 128)
        let (inner, experts, expertInner) = (10_944, 64, 1408)
        return ModelShape(
            name: "deepseek-coder-v2-lite", architecture: "deepseek2", layers: 27, width: width, vocabulary: 102_400
        ) { layers in
            var keys = counts([
                "context_length": 163_840, "feed_forward_length": inner, "attention.head_count": heads,
                "attention.head_count_kv": 1, "attention.kv_lora_rank": latent, "rope.dimension_count": rotated,
                "attention.key_length": latent + rotated, "attention.value_length": latent,
                "attention.key_length_mla": plain + rotated, "attention.value_length_mla": value,
                "leading_dense_block_count": 1, "expert_count": experts, "expert_used_count": 6,
                "expert_feed_forward_length": expertInner, "expert_shared_count": 2, "expert_gating_func": 1,
                // Only a file with all blocks may leave it out.
                "attention.q_lora_rank": 0,
            ])
            keys["attention.layer_norm_rms_epsilon"] = .float32(1e-6)
            keys["rope.freq_base"] = .float32(10_000)
            keys["expert_weights_scale"] = .float32(1)
            return keys
        } block: { layer, _ in
            var tensors: [Tensor] = [
                .vector("attn_norm.weight", width), .vector("ffn_norm.weight", width),
                .matrix("attn_q", width, heads * (plain + rotated)),
                .matrix("attn_kv_a_mqa", width, latent + rotated), .vector("attn_kv_a_norm.weight", latent),
                .matrix("attn_k_b", plain, latent, experts: heads), .matrix("attn_v_b", latent, value, experts: heads),
                .matrix("attn_output", heads * value, width),
            ]
            if layer == 0 {
                tensors += [
                    .matrix("ffn_gate", width, inner), .matrix("ffn_up", width, inner),
                    .matrix("ffn_down", inner, width),
                ]
            } else {
                tensors += [
                    .matrix("ffn_gate_inp", width, experts, .float),
                    .matrix("ffn_gate_exps", width, expertInner, experts: experts),
                    .matrix("ffn_up_exps", width, expertInner, experts: experts),
                    .matrix("ffn_down_exps", expertInner, width, experts: experts),
                    .matrix("ffn_gate_shexp", width, 2 * expertInner), .matrix("ffn_up_shexp", width, 2 * expertInner),
                    .matrix("ffn_down_shexp", 2 * expertInner, width),
                ]
            }
            return tensors
        }
    }

    /// Gemma 4 E4B: embeddings per layer, five windowed layers to one full one with wider heads, shared keys and values.
    private static var gemma4: ModelShape {
        let (width, inner, heads, keyValueHeads) = (2560, 10_240, 8, 2)
        let (windowed, full, own, vocabulary) = (256, 512, 256, 262_144)
        @Sendable func isWindowed(_ layer: Int) -> Bool { layer % 6 != 5 }
        // Of 42 layers the last 18 share; of fewer as large a part, in whole patterns.
        @Sendable func shared(_ layers: Int) -> Int { layers * 3 / 7 / 6 * 6 }
        return ModelShape(
            name: "gemma4-e4b", architecture: "gemma4", layers: 42, width: width, vocabulary: vocabulary, isTied: true
        ) { layers in
            var keys = counts([
                "context_length": 131_072, "feed_forward_length": inner, "attention.head_count": heads,
                "attention.head_count_kv": keyValueHeads, "attention.key_length": full,
                "attention.value_length": full, "attention.key_length_swa": windowed,
                "attention.value_length_swa": windowed, "attention.sliding_window": 512,
                "attention.shared_kv_layers": shared(layers), "embedding_length_per_layer_input": own,
                "rope.dimension_count": full, "rope.dimension_count_swa": windowed,
            ])
            keys["attention.sliding_window_pattern"] = .array(MetadataArray((0..<layers).map(isWindowed)))
            keys["attention.layer_norm_rms_epsilon"] = .float32(1e-6)
            keys["rope.freq_base"] = .float32(1_000_000)
            keys["rope.freq_base_swa"] = .float32(10_000)
            keys["final_logit_softcapping"] = .float32(30)
            return keys
        } block: { layer, layers in
            let length = isWindowed(layer) ? windowed : full
            var tensors: [Tensor] = [
                .vector("attn_norm.weight", width), .vector("post_attention_norm.weight", width),
                .vector("ffn_norm.weight", width), .vector("post_ffw_norm.weight", width),
                .matrix("attn_q", width, heads * length), .vector("attn_q_norm.weight", length),
                .matrix("attn_output", heads * length, width), .matrix("ffn_gate", width, inner),
                .matrix("ffn_up", width, inner), .matrix("ffn_down", inner, width), .matrix("inp_gate", width, own),
                .matrix("proj", own, width), .vector("post_norm.weight", width),
                .vector("layer_output_scale.weight", 1),
            ]
            if layer < layers - shared(layers) {
                tensors += [
                    .matrix("attn_k", width, keyValueHeads * length), .matrix("attn_v", width, keyValueHeads * length),
                    .vector("attn_k_norm.weight", length),
                ]
            }
            return tensors
        } others: { layers in
            [
                .matrix("per_layer_token_embd", own * layers, vocabulary),
                .matrix("per_layer_model_proj", width, own * layers, .float),
                .vector("per_layer_proj_norm.weight", own), .vector("rope_freqs.weight", full / 2),
            ]
        }
    }
}
