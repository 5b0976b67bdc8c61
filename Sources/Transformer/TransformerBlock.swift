// The layers of a transformer block, named as their tensors are in the file, and how they are loaded.

import InferGGUF
import InferSupport
import InferTensors

/// y = x · weightᵀ + bias
struct Linear: Sendable {
    let weight: WeightMatrix
    let bias: WeightVector?

    /// The product as an operation into `output`, with the maxima of its blocks where they are wanted.
    func into(_ output: Activations, maxima: Activations? = nil) -> Projection {
        Projection(weight, bias: bias, into: output, maxima: maxima)
    }
}

/// A normalisation with its learned weights.
struct Norm: Sendable {
    let kind: NormKind
    let weight: WeightVector
    let bias: WeightVector?
}

/// One layer: h = x + mixer(norm(x)); output = h + feedForward(norm(h)).
struct TransformerBlock: Sendable {
    enum Mixer: Sendable {
        case attention(Attention)
    }
    enum FeedForwardKind: Sendable {
        case dense(FeedForward)
        case experts(MixtureOfExperts)
    }
    let attn_norm: Norm
    let mixer: Mixer
    /// Norm of what the mixer adds (Gemma 2 and 3).
    let post_attention_norm: Norm?
    let ffn_norm: Norm
    let feedForward: FeedForwardKind
    /// Norm of what the feed-forward layer adds (Gemma 2 and 3).
    let post_ffw_norm: Norm?

    /// Loads block `index`. Biases, norms of heads and fused matrices are used where the file has them.
    ///
    /// - Throws: `malformedModel` for a tensor that is absent or has another shape, `unsupportedModel` for one that the plan does
    ///   not read.
    init(_ index: Int, _ configuration: Configuration, _ loader: inout WeightLoader) throws(InferenceError) {
        let prefix = "blk.\(index)."
        let plan = configuration.layers[index]
        let (width, norm) = (configuration.embeddingLength, configuration.norm)
        attn_norm = try loader.norm(prefix + "attn_norm", width: width, norm)
        switch plan.mixer {
        case .attention(let plan):
            mixer = .attention(try Attention(prefix, plan, width: width, norm, &loader))
        }
        if loader.has(prefix + "ffn_norm.weight") {
            post_attention_norm = try loader.optionalNorm(prefix + "post_attention_norm", width: width, norm)
            ffn_norm = try loader.norm(prefix + "ffn_norm", width: width, norm)
        } else {
            // gpt-oss: the norm after attention is the one before the feed-forward layer.
            post_attention_norm = nil
            ffn_norm = try loader.norm(prefix + "post_attention_norm", width: width, norm)
        }
        switch plan.feedForward {
        case .dense(let innerLength):
            feedForward = .dense(try FeedForward(prefix, width: width, inner: innerLength, &loader))
        case .experts(let plan):
            feedForward = .experts(try MixtureOfExperts(prefix, plan, width: width, &loader))
        }
        post_ffw_norm = try loader.optionalNorm(prefix + "post_ffw_norm", width: width, norm)
        try loader.requireAllRead(ofBlock: index, architecture: configuration.architecture)
    }
}

/// Softmax attention with grouped heads.
struct Attention: Sendable {
    let plan: AttentionPlan
    let attn_q: Linear
    let attn_k: Linear
    let attn_v: Linear
    let attn_output: Linear
    /// Norms of each head's query and key before rotation.
    let attn_q_norm: Norm?
    let attn_k_norm: Norm?
    let parameters: AttentionParameters

    fileprivate init(
        _ prefix: String, _ plan: AttentionPlan, width: Int, _ norm: NormKind, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        self.plan = plan
        if loader.has(prefix + "attn_qkv.weight") {
            let parts = try loader.fused(
                prefix + "attn_qkv", inputs: width, outputs: [plan.queryWidth, plan.keyWidth, plan.valueWidth])
            (attn_q, attn_k, attn_v) = (parts[0], parts[1], parts[2])
        } else {
            attn_q = try loader.linear(prefix + "attn_q", inputs: width, outputs: plan.queryWidth)
            attn_k = try loader.linear(prefix + "attn_k", inputs: width, outputs: plan.keyWidth)
            attn_v = try loader.linear(prefix + "attn_v", inputs: width, outputs: plan.valueWidth)
        }
        attn_output = try loader.linear(prefix + "attn_output", inputs: plan.attendedWidth, outputs: width)
        attn_q_norm = try loader.optionalNorm(prefix + "attn_q_norm", width: plan.keyLength, norm)
        attn_k_norm = try loader.optionalNorm(prefix + "attn_k_norm", width: plan.keyLength, norm)
        parameters = plan.parameters(sinks: try loader.optionalVector(prefix + "attn_sinks.weight", [plan.heads]))
    }
}

/// down(activation(gate(x)) ⊙ up(x)), or down(activation(up(x))) without a gate.
struct FeedForward: Sendable {
    let ffn_gate: Linear?
    let ffn_up: Linear
    let ffn_down: Linear

    fileprivate init(
        _ prefix: String, width: Int, inner: Int, _ loader: inout WeightLoader
    ) throws(InferenceError) {
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

/// A weighted sum of the feed-forward layers that a router chooses for each token (arXiv 2101.03961, 2401.04088).
struct MixtureOfExperts: Sendable {
    let plan: ExpertsPlan
    let ffn_gate_inp: Linear
    let ffn_gate_exps: Linear
    let ffn_up_exps: Linear
    let ffn_down_exps: Linear

    fileprivate init(
        _ prefix: String, _ plan: ExpertsPlan, width: Int, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        self.plan = plan
        let (inner, experts) = (plan.innerLength, plan.count)
        ffn_gate_inp = try loader.linear(prefix + "ffn_gate_inp", inputs: width, outputs: experts)
        ffn_gate_exps = try loader.linear(prefix + "ffn_gate_exps", inputs: width, outputs: inner, experts: experts)
        ffn_up_exps = try loader.linear(prefix + "ffn_up_exps", inputs: width, outputs: inner, experts: experts)
        ffn_down_exps = try loader.linear(prefix + "ffn_down_exps", inputs: inner, outputs: width, experts: experts)
    }
}
