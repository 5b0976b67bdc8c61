// What a model file says about its transformer: the hyper-parameters, and the plan of each block.

package import InferGGUF
package import InferSupport
package import InferTensors

/// The hyper-parameters of a model. Names follow the GGUF keys. What the tensors themselves show (biases, norms of queries and
/// keys, tied embeddings) is not repeated here.
package struct Configuration: Sendable {
    /// `general.architecture`.
    package var architecture: String
    /// Tokens that the model was trained to see.
    package var contextLength: Int
    /// Width of the residual stream.
    package var embeddingLength: Int
    /// Number of tokens that the model distinguishes.
    package var vocabularySize: Int
    /// The blocks, in order.
    package var layers: [LayerPlan] = []
    /// Blocks that the file has behind these, for predicting several tokens at once; they are not loaded.
    package var nextTokenBlockCount: Int

    /// The norm of every layer, and its ε.
    package var norm: NormKind
    /// Non-linearity of the feed-forward layers.
    package var activation: Activation = .silu

    /// Position encoding; nil for none.
    package var rope: RotaryConfiguration?
    /// Position encoding of layers with a sliding window, where it differs from the others'.
    package var localRope: RotaryConfiguration?
    /// Queries at position p are multiplied by 1 + scale · ln(1 + ⌊p / length⌋) (Mistral 3).
    package var attentionTemperature: AttentionTemperature?

    /// Embeddings are multiplied by this (Gemma: √width; Granite).
    package var embeddingScale: Float = 1
    /// What a layer adds to the residual stream is multiplied by this (Granite).
    package var residualScale: Float = 1
    /// Logits are multiplied by this (Granite divides; this is the inverse of the file's value).
    package var logitScale: Float = 1
    /// Soft cap of the logits (Gemma 2).
    package var finalSoftCap: Float?
    /// Length of the embedding that each block has of its own; nil for none (Gemma 3n and 4).
    package var perLayerEmbeddingLength: Int?
    /// Residual streams beside each other, of which layers read a mixture; nil for a single one (Qwen 4).
    var hyperConnections: HyperConnectionPlan?

    /// The names of all architectures that this engine runs, sorted.
    package static var architectures: [String] { Architecture.all.map(\.name).sorted() }

    /// Number of blocks.
    package var blockCount: Int { layers.count }
    /// Whether logits are more than the output matrix gives.
    var changesLogits: Bool { logitScale != 1 || finalSoftCap != nil }

    /// Bytes of one state of all recurrent layers, and what each row of a draft leaves until it is kept or rejected; nil without such
    /// layers.
    package var recurrentState: (byteCount: Int, byteCountPerDraftRow: Int)? {
        let shapes = layers.flatMap(\.recurrentShapes)
        guard !shapes.isEmpty else { return nil }
        return (
            Int.sum(shapes.map(\.stateByteCount)), Int.sum(shapes.map { Int.product(4, $0.layerInputCount) })
        )
    }

    /// Reads the keys that all architectures share, then lets the architecture add its own.
    ///
    /// - Throws: `unsupportedArchitecture`, or `malformedModel` naming the key that is absent or out of range.
    package init(_ file: GGUFFile) throws(InferenceError) {
        let metadata = file.metadata
        guard let name = try metadata.string("general.architecture") else {
            throw metadata.malformed("general.architecture", "is absent")
        }
        guard let architecture = Architecture.named(name) else {
            let known = Self.architectures.joined(separator: ", ")
            throw metadata.error(
                .unsupportedArchitecture, "general.architecture",
                "is \"\(name.printable)\", which is not supported; known are \(known)")
        }
        guard let embedding = file.tensor("token_embd.weight") else {
            throw InferenceError(.malformedModel, "\(file.path): tensor token_embd.weight is absent")
        }
        let keys = ArchitectureKeys(file, architecture: name)
        self.architecture = name
        embeddingLength = try keys.count("embedding_length", in: 1...ArchitectureKeys.largestCount)
        let allBlocks = try keys.count("block_count", in: 1...4096)
        nextTokenBlockCount = try keys.optionalCount("nextn_predict_layers", in: 0...allBlocks - 1) ?? 0
        contextLength = try keys.count("context_length", in: 1...(1 << 30))
        vocabularySize = embedding.rows
        norm = try NormKind(keys, isLayerNorm: architecture.usesLayerNorm)
        layers = try LayerPlan.all(
            file, keys, blockCount: allBlocks - nextTokenBlockCount, embeddingLength: embeddingLength,
            rotation: .global)
        if let pairing = architecture.ropePairing, let plan = layers.lazy.compactMap(\.attention).first {
            rope = try RotaryConfiguration(
                keys, dimensions: plan.keyLength, contextLength: contextLength, pairing: pairing)
        }
        try architecture.configure(&self, keys)
        for (layer, plan) in layers.enumerated() {
            guard case .none = plan.mixer,
                keys.hasTensor(layer, "attn_q.weight") || keys.hasTensor(layer, "attn_qkv.weight")
            else { continue }
            let heads = try keys.counts("attention.head_count", of: blockCount, in: 1...65_536, orZero: true)
            throw keys.malformed(
                heads?[layer] == 0 ? "attention.head_count" : "attention.head_count_kv",
                "is 0 for layer \(layer), which has tensors of attention")
        }
        if rope == nil { layers.forEachAttention { $1.rotation = .none } }
    }
}

/// Which normalisation a model uses.
package enum NormKind: Sendable {
    /// Root mean square, arXiv 1910.07467.
    case rms(epsilon: Float)
    /// Layer norm, arXiv 1607.06450.
    case layer(epsilon: Float)

    /// Reads the ε. That of root mean squares is in some files where that of layer norms is otherwise (Nemotron-H).
    fileprivate init(_ keys: ArchitectureKeys, isLayerNorm: Bool) throws(InferenceError) {
        let key = "attention.layer_norm_epsilon"
        if isLayerNorm {
            self = .layer(epsilon: try keys.required(keys.positive(key), key))
        } else if let epsilon = try keys.positive("attention.layer_norm_rms_epsilon") {
            self = .rms(epsilon: epsilon)
        } else if let epsilon = try keys.positive(key) {
            self = .rms(epsilon: epsilon)
        } else {
            throw keys.malformed("attention.layer_norm_rms_epsilon", "is absent, as attention.layer_norm_epsilon is")
        }
    }

    /// What is added to the variance.
    var epsilon: Float {
        switch self {
        case .rms(let epsilon), .layer(let epsilon): epsilon
        }
    }
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
