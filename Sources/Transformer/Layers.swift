// The parts of a transformer block, named as their tensors are in the file.

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

/// Softmax attention with grouped heads.
struct Attention: Sendable {
    let attn_q: Linear
    let attn_k: Linear
    let attn_v: Linear
    let attn_output: Linear
    /// Norms of each head's query and key before rotation.
    let attn_q_norm: Norm?
    let attn_k_norm: Norm?
    let parameters: AttentionParameters
}

/// down(activation(gate(x)) ⊙ up(x)), or down(activation(up(x))) without a gate.
struct FeedForward: Sendable {
    let ffn_gate: Linear?
    let ffn_up: Linear
    let ffn_down: Linear
}

/// A weighted sum of the feed-forward layers a router chooses for each token (arXiv 2101.03961, 2401.04088).
struct MixtureOfExperts: Sendable {
    let ffn_gate_inp: Linear
    let ffn_gate_exps: Linear
    let ffn_up_exps: Linear
    let ffn_down_exps: Linear
}

/// One layer: h = x + attention(norm(x)); output = h + feedForward(norm(h)).
struct TransformerBlock: Sendable {
    enum MLP: Sendable {
        case dense(FeedForward)
        case experts(MixtureOfExperts)
    }
    let attn_norm: Norm
    let attention: Attention
    /// Norm of what attention adds (Gemma 2 and 3).
    let post_attention_norm: Norm?
    let ffn_norm: Norm
    let mlp: MLP
    /// Norm of what the feed-forward layer adds (Gemma 2 and 3).
    let post_ffw_norm: Norm?
    /// Whether it sees a sliding window, and so may rotate by another base.
    let isWindowed: Bool
}
