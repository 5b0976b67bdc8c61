// What a model file says about the shape of its transformer.

import InferSupport
package import InferTensors

/// The hyper-parameters of a model. Names follow the GGUF keys; what the tensors themselves show (biases, norms of queries
/// and keys, tied embeddings, experts) is not repeated here.
package struct Configuration: Sendable {
    /// `general.architecture`.
    package var architecture: String
    /// Tokens the model was trained to see.
    package var contextLength: Int
    /// Width of the residual stream.
    package var embeddingLength: Int
    /// Number of transformer blocks.
    package var blockCount: Int
    /// Inner width of the dense feed-forward layers; 0 when all are mixtures of experts.
    package var feedForwardLength: Int
    /// Query heads.
    package var headCount: Int
    /// Key–value heads.
    package var headCountKV: Int
    /// Length of one head's query and key.
    package var keyLength: Int
    /// Length of one head's value.
    package var valueLength: Int
    /// Number of tokens the model distinguishes.
    package var vocabularySize: Int

    /// The norm of every layer, and the ε in it.
    package var norm: NormKind
    /// Non-linearity of the feed-forward layers.
    package var activation: Activation = .silu

    /// Position encoding; nil for none.
    package var rope: RotaryConfiguration?
    /// Position encoding of layers with a sliding window, where it differs from the others'.
    package var localRope: RotaryConfiguration?
    /// Positions seen by layers with a sliding window.
    package var slidingWindow: Int?
    /// Which layers have a sliding window; empty for none.
    package var windowedLayers: [Bool] = []

    /// Embeddings are multiplied by this (Gemma: √width; Granite).
    package var embeddingScale: Float = 1
    /// What a layer adds to the residual stream is multiplied by this (Granite).
    package var residualScale: Float = 1
    /// Attention scores are multiplied by this.
    package var attentionScale: Float
    /// Logits are multiplied by this (Granite divides; this is the inverse of the file's value).
    package var logitScale: Float = 1
    /// Soft cap of attention scores (Gemma 2).
    package var attentionSoftCap: Float?
    /// Soft cap of the logits (Gemma 2).
    package var finalSoftCap: Float?
    /// Queries at position p are multiplied by 1 + scale · ln(1 + ⌊p / length⌋) (Mistral 3).
    package var attentionTemperature: AttentionTemperature?

    /// Experts per layer; 0 for dense models.
    package var expertCount: Int = 0
    /// Experts that a token uses.
    package var expertUsedCount: Int = 0
    /// How a router's outputs become weights.
    package var routing = RoutingParameters(gating: .softmaxThenTop, normalisesWeights: true)

    /// Whether logits are more than the output matrix gives.
    var changesLogits: Bool { logitScale != 1 || finalSoftCap != nil }

    /// Whether layer `layer` sees a sliding window only.
    package func isWindowed(_ layer: Int) -> Bool { windowedLayers.isEmpty ? false : windowedLayers[layer] }
}

/// Which normalisation a model uses.
package enum NormKind: Sendable {
    /// Root mean square, arXiv 1910.07467.
    case rms(epsilon: Float)
    /// Layer norm, arXiv 1607.06450.
    case layer(epsilon: Float)
}

/// How attention sharpens with position, see ``Configuration/attentionTemperature``.
package struct AttentionTemperature: Sendable {
    /// Strength.
    package var scale: Float
    /// Positions per step.
    package var length: Int

    /// The factor for a query at `position`.
    func factor(at position: Int) -> Float { 1 + scale * logarithm(Float(1 + position / length)) }
}
