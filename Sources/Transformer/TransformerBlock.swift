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
    /// Consecutive values that are normalised together: a row, a head or a group of heads.
    let width: Int
    /// `width` weights, or a multiple of that: the weights of several heads or groups, in turn.
    let weight: WeightVector
    let bias: WeightVector?
}

/// One block: h = x + mixer(norm(x)); output = h + feedForward(norm(h)).
struct TransformerBlock: Sendable {
    enum Mixer: Sendable {
        case none
        case attention(Attention)
        case latentAttention(LatentAttention)
        case deltaNet(DeltaNet)
        case mamba2(Mamba2)
        case shortConvolution(ShortConvolution)
        case attentionAndMamba2(Attention, Mamba2)
    }
    enum FeedForwardKind: Sendable {
        case none
        case dense(FeedForward)
        case experts(MixtureOfExperts)
        case denseAndExperts(FeedForward, MixtureOfExperts, BranchNorms)
    }
    /// The norms of two feed-forward branches side by side (Gemma 4).
    struct BranchNorms: Sendable {
        /// Norm of what the mixture reads.
        let pre_ffw_norm_2: Norm
        /// Norms of what the dense layer and the mixture give.
        let post_ffw_norm_1: Norm, post_ffw_norm_2: Norm
    }
    /// What the block adds before its layers: embeddings of the last tokens together.
    let ngrams: NGramEmbedding?
    /// How the layers read and change several residual streams; nil where there is a single one.
    let hc_attn: HyperConnection?, hc_ffn: HyperConnection?
    /// Norm of the mixer's input; nil where it reads the stream as it is.
    let attn_norm: Norm?
    let mixer: Mixer
    /// Norm of what the mixer adds.
    let post_attention_norm: Norm?
    /// Norm of the feed-forward layer's input; nil where it reads the stream as it is, or what the mixer reads.
    let ffn_norm: Norm?
    /// Whether mixer and feed-forward layer read the same (GPT-J's parallel block).
    let isParallel: Bool
    let feedForward: FeedForwardKind
    /// Norm of what the feed-forward layer adds.
    let post_ffw_norm: Norm?
    /// What the block adds from the embeddings of its own (Gemma 3n and 4).
    let perLayerInput: PerLayerInput?
    /// The whole stream is multiplied by this at the end (Gemma 4).
    let layer_output_scale: Float?

    /// Loads block `index`. Biases, norms of heads and fused matrices are used where the file has them.
    ///
    /// Which norms a block has shows which kind it is: without `ffn_norm`, `post_attention_norm` is the norm before the feed-forward
    /// layer if there is an `attn_norm` (gpt-oss, Qwen 3.5, GLM 4.5), and one of what the mixer adds if there is none (OLMo 2).
    ///
    /// - Throws: `malformedModel` for a tensor that is absent or has another shape, `unsupportedModel` for one that the plan does
    ///   not read.
    init(_ index: Int, _ configuration: Configuration, _ loader: inout WeightLoader) throws(InferenceError) {
        let prefix = "blk.\(index)."
        let plan = configuration.layers[index]
        let (width, norm) = (configuration.embeddingLength, configuration.norm)
        ngrams = try plan.ngrams.map { plan throws(InferenceError) in
            try NGramEmbedding(prefix, plan, configuration, &loader)
        }
        if let plan = configuration.hyperConnections {
            hc_attn = try HyperConnection(prefix + "hc_attn", plan, width: width, norm, injects: true, &loader)
            hc_ffn = try HyperConnection(prefix + "hc_ffn", plan, width: width, norm, injects: true, &loader)
        } else {
            (hc_attn, hc_ffn) = (nil, nil)
        }
        let first = try loader.optionalNorm(prefix + "attn_norm", width: width, norm)
        let second = try loader.optionalNorm(prefix + "post_attention_norm", width: width, norm)
        let third = try loader.optionalNorm(prefix + "ffn_norm", width: width, norm)
        switch (plan.mixer, plan.feedForward) {
        case (.none, _):
            // One norm, whatever the block does.
            (attn_norm, post_attention_norm, ffn_norm, isParallel) = (nil, nil, first ?? third, false)
        case (_, .none):
            (attn_norm, post_attention_norm, ffn_norm, isParallel) = (first, second, nil, false)
        default:
            if third != nil || first == nil {
                (attn_norm, post_attention_norm, ffn_norm, isParallel) = (first, second, third, false)
            } else {
                (attn_norm, post_attention_norm, ffn_norm) = (first, nil, second)
                isParallel = second == nil
            }
        }
        mixer =
            switch plan.mixer {
            case .none: .none
            case .attention(let plan): .attention(try Attention(prefix, plan, width: width, norm, &loader))
            case .latentAttention(let plan):
                .latentAttention(try LatentAttention(prefix, plan, width: width, norm, &loader))
            case .deltaNet(let plan): .deltaNet(try DeltaNet(prefix, plan, width: width, norm, &loader))
            case .mamba2(let plan): .mamba2(try Mamba2(prefix, plan, width: width, norm, &loader))
            case .shortConvolution(let plan):
                .shortConvolution(try ShortConvolution(prefix, plan, width: width, &loader))
            case .attentionAndMamba2(let attention, let mamba):
                .attentionAndMamba2(
                    try Attention(prefix, attention, width: width, norm, &loader),
                    try Mamba2(prefix, mamba, width: width, norm, &loader))
            }
        feedForward =
            switch plan.feedForward {
            case .none: .none
            case .dense(let inner): .dense(try FeedForward(prefix, width: width, inner: inner, &loader))
            case .experts(let plan): .experts(try MixtureOfExperts(prefix, plan, width: width, norm, &loader))
            case .denseAndExperts(let inner, let plan):
                .denseAndExperts(
                    try FeedForward(prefix, width: width, inner: inner, &loader),
                    try MixtureOfExperts(prefix, plan, width: width, norm, &loader),
                    BranchNorms(
                        pre_ffw_norm_2: try loader.norm(prefix + "pre_ffw_norm_2", width: width, norm),
                        post_ffw_norm_1: try loader.norm(prefix + "post_ffw_norm_1", width: width, norm),
                        post_ffw_norm_2: try loader.norm(prefix + "post_ffw_norm_2", width: width, norm)))
            }
        post_ffw_norm = try loader.optionalNorm(prefix + "post_ffw_norm", width: width, norm)
        perLayerInput = try configuration.perLayerEmbeddingLength.map { length throws(InferenceError) in
            try PerLayerInput(prefix, index, length: length, width: width, norm, &loader)
        }
        layer_output_scale = try loader.hostValues(prefix + "layer_output_scale.weight", count: 1)?.first
        try loader.requireAllRead(ofBlock: index, architecture: configuration.architecture)
    }
}
