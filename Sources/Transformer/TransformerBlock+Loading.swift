// Finding out from a file's tensors what a block consists of.

import InferGGUF
import InferSupport
import InferTensors

extension TransformerBlock {
    /// Loads block `index`. Biases, norms of heads, experts and fused matrices are used where the file has them.
    init(_ index: Int, _ configuration: Configuration, _ loader: inout WeightLoader) throws(InferenceError) {
        let prefix = "blk.\(index)."
        let width = configuration.embeddingLength
        isWindowed = configuration.isWindowed(index)
        attn_norm = try loader.norm(prefix + "attn_norm", width: width, configuration.norm)
        attention = try Attention(prefix, configuration, isWindowed: isWindowed, &loader)
        if loader.has(prefix + "ffn_norm.weight") {
            post_attention_norm = try loader.optionalNorm(
                prefix + "post_attention_norm", width: width, configuration.norm)
            ffn_norm = try loader.norm(prefix + "ffn_norm", width: width, configuration.norm)
        } else {
            // gpt-oss: the norm after attention is the one before the feed-forward layer.
            post_attention_norm = nil
            ffn_norm = try loader.norm(prefix + "post_attention_norm", width: width, configuration.norm)
        }
        if loader.has(prefix + "ffn_gate_inp.weight") {
            mlp = .experts(try MixtureOfExperts(prefix, configuration, &loader))
        } else {
            mlp = .dense(try FeedForward(prefix, configuration, &loader))
        }
        post_ffw_norm = try loader.optionalNorm(prefix + "post_ffw_norm", width: width, configuration.norm)
    }
}

extension Attention {
    fileprivate init(
        _ prefix: String, _ configuration: Configuration, isWindowed: Bool, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        let width = configuration.embeddingLength
        let queries = configuration.headCount * configuration.keyLength
        let keys = configuration.headCountKV * configuration.keyLength
        let values = configuration.headCountKV * configuration.valueLength
        if loader.has(prefix + "attn_qkv.weight") {
            let parts = try loader.fused(prefix + "attn_qkv", inputs: width, outputs: [queries, keys, values])
            (attn_q, attn_k, attn_v) = (parts[0], parts[1], parts[2])
        } else {
            attn_q = try loader.linear(prefix + "attn_q", inputs: width, outputs: queries)
            attn_k = try loader.linear(prefix + "attn_k", inputs: width, outputs: keys)
            attn_v = try loader.linear(prefix + "attn_v", inputs: width, outputs: values)
        }
        attn_output = try loader.linear(
            prefix + "attn_output", inputs: configuration.headCount * configuration.valueLength, outputs: width)
        attn_q_norm = try loader.optionalNorm(
            prefix + "attn_q_norm", width: configuration.keyLength, configuration.norm)
        attn_k_norm = try loader.optionalNorm(
            prefix + "attn_k_norm", width: configuration.keyLength, configuration.norm)
        parameters = AttentionParameters(
            heads: configuration.headCount, keyValueHeads: configuration.headCountKV,
            scale: configuration.attentionScale, window: isWindowed ? configuration.slidingWindow : nil,
            softCap: configuration.attentionSoftCap,
            sinks: try loader.optionalVector(prefix + "attn_sinks.weight", [configuration.headCount]))
    }
}

extension FeedForward {
    fileprivate init(
        _ prefix: String, _ configuration: Configuration, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        let width = configuration.embeddingLength
        let inner = configuration.feedForwardLength
        if loader.has(prefix + "ffn_gate.weight") {
            ffn_gate = try loader.linear(prefix + "ffn_gate", inputs: width, outputs: inner)
            ffn_up = try loader.linear(prefix + "ffn_up", inputs: width, outputs: inner)
        } else if loader.file.tensor(prefix + "ffn_up.weight")?.rows == 2 * inner {
            // Phi 3: gate and up in one matrix, gate first.
            let parts = try loader.fused(prefix + "ffn_up", inputs: width, outputs: [inner, inner])
            (ffn_gate, ffn_up) = (parts[0], parts[1])
        } else {
            ffn_gate = nil
            ffn_up = try loader.linear(prefix + "ffn_up", inputs: width, outputs: inner)
        }
        ffn_down = try loader.linear(prefix + "ffn_down", inputs: inner, outputs: width)
    }
}

extension MixtureOfExperts {
    fileprivate init(
        _ prefix: String, _ configuration: Configuration, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        let width = configuration.embeddingLength
        let experts = configuration.expertCount
        guard experts > 0 else {
            throw InferenceError(
                .malformedModel,
                "\(loader.file.path): tensor \(prefix)ffn_gate_inp.weight calls for expert_count, which is absent")
        }
        // The experts' inner width is the down matrix's; files differ in which key tells it.
        guard let inner = loader.file.tensor(prefix + "ffn_down_exps.weight")?.columns else {
            throw InferenceError(
                .malformedModel, "\(loader.file.path): tensor \(prefix)ffn_down_exps.weight is absent")
        }
        ffn_gate_inp = try loader.linear(prefix + "ffn_gate_inp", inputs: width, outputs: experts)
        ffn_gate_exps = try loader.linear(prefix + "ffn_gate_exps", inputs: width, outputs: inner, experts: experts)
        ffn_up_exps = try loader.linear(prefix + "ffn_up_exps", inputs: width, outputs: inner, experts: experts)
        ffn_down_exps = try loader.linear(prefix + "ffn_down_exps", inputs: inner, outputs: width, experts: experts)
    }
}
