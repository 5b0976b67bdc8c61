// A transformer's weights, loaded into a backend.

package import InferGGUF
package import InferSupport
package import InferTensors

/// A decoder-only transformer: immutable after loading, shared by any number of contexts.
package final class TransformerModel: Sendable {
    /// The model's hyper-parameters.
    package let configuration: Configuration
    /// Number of weights in the file.
    package let parameterCount: Int
    /// Where the embedding table and the outputs are, and every block that is not on a device of its own.
    package let backend: any Backend
    /// The same, where it is a device.
    package var device: (any DeviceBackend)? { backend as? any DeviceBackend }
    /// Where the blocks are, in order.
    let stages: [Stage]

    let token_embd: EmbeddingTable
    let blk: [TransformerBlock]
    let output_norm: Norm
    let output: Linear

    /// Divisors of RoPE frequencies, from the file's `rope_freqs` and `rope_factors_…` tensors.
    private let rope_freqs: [Float]?
    private let rope_factors_long: [Float]?
    private let rope_factors_short: [Float]?

    /// Loads all tensors of `file` into `backend`, but those of `offload` into its device. `progress` is told fractions of the
    /// file, ascending to 1.
    package init(
        _ file: GGUFFile, backend: any Backend, offload: Offload? = nil, progress: ((Double) -> Void)? = nil
    ) throws(InferenceError) {
        let configuration = try Configuration(file)
        let width = configuration.embeddingLength
        stages = Stage.all(of: configuration.blockCount, backend: backend, offload: offload)
        let backend = stages.first?.backend ?? backend
        var loader = WeightLoader(file, backend: backend, progress: progress)
        token_embd = try loader.table("token_embd.weight", columns: width, rows: configuration.vocabularySize)
        var blocks: [TransformerBlock] = []
        for stage in stages {
            loader.backend = stage.backend
            for index in stage.blocks { blocks.append(try TransformerBlock(index, configuration, &loader)) }
        }
        blk = blocks
        loader.backend = backend
        output_norm = try loader.norm("output_norm", width: width, configuration.norm)
        // Without a matrix of their own the outputs are tied to the embedding.
        let isTied = !loader.has("output.weight")
        output = try loader.linear(
            isTied ? "token_embd" : "output", inputs: width, outputs: configuration.vocabularySize)
        let pairs = (configuration.rope?.dimensionCount ?? 0) / 2
        rope_freqs = try loader.hostValues("rope_freqs.weight", count: pairs)
        rope_factors_long = try loader.hostValues("rope_factors_long.weight", count: pairs)
        rope_factors_short = try loader.hostValues("rope_factors_short.weight", count: pairs)
        parameterCount = file.tensors.reduce(0) { $0 + $1.elementCount }
        self.configuration = configuration
        self.backend = backend
        file.discard()
        progress?(1)
    }

    /// Experts' inner width, 0 for dense models.
    var expertFeedForwardLength: Int {
        blk.reduce(0) {
            guard case .experts(let experts) = $1.mlp else { return $0 }
            return max($0, experts.ffn_up_exps.weight.rows)
        }
    }

    /// The rotation of layers without a window, or of those with one where it differs, for contexts of `capacity` tokens:
    /// LongRoPE's factors depend on whether that exceeds the original context.
    func rotaryEmbedding(windowed: Bool, capacity: Int) -> RotaryEmbedding? {
        guard let rope = windowed ? configuration.localRope : configuration.rope else { return nil }
        let long = capacity > rope.originalContextLength
        let factors = rope_freqs ?? (long ? rope_factors_long : rope_factors_short)
        return RotaryEmbedding(rope, factors: factors)
    }

    /// The shape of a cache for `layers` blocks and `slots` tokens.
    func cacheShape(layers: Int, slots: Int, type: KVCacheType) throws(InferenceError) -> KVCacheShape {
        if type == .q8_0 {
            guard configuration.keyLength.isMultiple(of: 32), configuration.valueLength.isMultiple(of: 32) else {
                throw InferenceError(
                    .invalidArgument,
                    "a q8_0 cache needs heads in multiples of 32; this model's have \(configuration.keyLength)")
            }
        }
        return KVCacheShape(
            layers: layers, heads: configuration.headCountKV, keyDimension: configuration.keyLength,
            valueDimension: configuration.valueLength, slots: slots, type: type)
    }
}
