// A transformer's weights, loaded into one or two backends.

package import InferGGUF
package import InferSupport
package import InferTensors
import Synchronization

/// The last layers of a model on a device of their own, the others on another backend.
package struct Offload: Sendable {
    /// Where those layers go.
    package let device: any Backend
    /// How many of the last blocks; one more stands for everything: the embedding table and the outputs too.
    package let layers: Int

    /// The last `layers` layers on `device`.
    package init(_ layers: Int, on device: any Backend) {
        self.layers = layers
        self.device = device
    }
}

/// Consecutive blocks that are computed on one backend.
struct Stage: Sendable {
    let backend: any Backend
    let blocks: Range<Int>

    /// The stages of `blockCount` blocks: the first one is on the backend that embeds and has the outputs, even where no block is.
    static func all(of blockCount: Int, backend: any Backend, offload: Offload?) -> [Stage] {
        guard let offload, offload.layers > 0 else { return [Stage(backend: backend, blocks: 0..<blockCount)] }
        guard offload.layers <= blockCount else { return [Stage(backend: offload.device, blocks: 0..<blockCount)] }
        let first = blockCount - offload.layers
        return [
            Stage(backend: backend, blocks: 0..<first), Stage(backend: offload.device, blocks: first..<blockCount),
        ]
    }
}

/// A decoder-only transformer. Its weights never change after loading; any number of sequences share them, and what their steps
/// compute in.
package final class TransformerModel: Sendable {
    /// The model's hyper-parameters.
    package let configuration: Configuration
    /// Number of weights in the file.
    package let parameterCount: Int
    /// Tells the weights from those of other models: ``GGUFFile/fingerprint``.
    let fingerprint: UInt64
    /// Where the embedding table and the outputs are, and every block that is not on a device of its own.
    package let backend: any Backend
    /// The same, where it is a device.
    package var device: (any DeviceBackend)? { backend as? any DeviceBackend }
    /// Where the blocks are, in order.
    let stages: [Stage]
    /// What a sequence keeps, and for each layer its group and its index in that.
    let memoryGroups: [MemoryGroup]
    let memoryPlaces: [MemoryGroup.Places]
    /// By layer, where a later stage has the same keys and values, because layers of it read them.
    let sharedCopies: [Int: [MemoryGroup.Copy]]
    /// The buffers that a step needs.
    let workspaceShape: WorkspaceShape
    /// What steps compute in, one at a time.
    let stepMemory = Mutex(StepMemory())
    /// The bytes of all sequences, and of all snapshots of sequences.
    package let sequenceBytes = ByteCounter(), snapshotBytes = ByteCounter()
    let logitsPool: LogitsPool

    let token_embd: EmbeddingTable
    /// Learned embeddings of positions (StarCoder).
    let position_embd: EmbeddingTable?
    let perLayerEmbedding: PerLayerEmbedding?
    let blk: [TransformerBlock]
    /// Norm of what the output matrix reads; nil where ``output_hc`` has it.
    let output_norm: Norm?
    /// How the output matrix reads several residual streams.
    let output_hc: HyperConnection?
    let output: Linear

    /// Divisors of RoPE frequencies, from the file's `rope_freqs` and `rope_factors_…` tensors.
    private let rope_freqs: [Float]?
    private let rope_factors_long: [Float]?
    private let rope_factors_short: [Float]?

    /// Loads all tensors of `file` into `backend`, but those of `offload` into its device. `progress` is told fractions of the
    /// file, ascending to 1.
    package init(
        _ file: GGUFFile, backend: any Backend, offload: Offload? = nil, progress: LoadingProgress? = nil
    ) throws(InferenceError) {
        let configuration = try Configuration(file)
        let width = configuration.embeddingLength
        stages = Stage.all(of: configuration.blockCount, backend: backend, offload: offload)
        (memoryGroups, memoryPlaces, sharedCopies) = MemoryGroup.all(configuration.layers, stages)
        workspaceShape = WorkspaceShape(configuration)
        logitsPool = LogitsPool(columns: configuration.vocabularySize)
        let backend = stages.first?.backend ?? backend
        var loader = WeightLoader(file, backend: backend, progress: progress)
        try loader.requireBlocks(below: configuration.blockCount + configuration.nextTokenBlockCount)
        token_embd = try loader.table("token_embd.weight", columns: width, rows: configuration.vocabularySize)
        position_embd =
            loader.has("position_embd.weight")
            ? try loader.table("position_embd.weight", columns: width, rows: configuration.contextLength) : nil
        perLayerEmbedding = try configuration.perLayerEmbeddingLength.map { length throws(InferenceError) in
            try PerLayerEmbedding(length: length, configuration, &loader)
        }
        var blocks: [TransformerBlock] = []
        for stage in stages {
            loader.backend = stage.backend
            for index in stage.blocks { blocks.append(try TransformerBlock(index, configuration, &loader)) }
        }
        blk = blocks
        loader.backend = backend
        // LFM 2 calls the norm before the outputs after the embedding.
        let normName = loader.has("output_norm.weight") ? "output_norm" : "token_embd_norm"
        if let plan = configuration.hyperConnections {
            output_norm = nil
            output_hc = try HyperConnection(
                "output_hc", plan, width: width, configuration.norm, injects: false, &loader)
        } else {
            output_norm = try loader.norm(normName, width: width, configuration.norm)
            output_hc = nil
        }
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
        fingerprint = file.fingerprint
        file.discard()
        try progress?(1)
    }

    /// The rotation of layers without a window, or of those with one where it differs, for contexts of `capacity` tokens:
    /// LongRoPE's factors depend on whether that exceeds the original context.
    func rotaryEmbedding(windowed: Bool, capacity: Int) -> RotaryEmbedding? {
        guard let rope = windowed ? configuration.localRope : configuration.rope else { return nil }
        let long = capacity > rope.originalContextLength
        let factors = windowed ? nil : rope_freqs ?? (long ? rope_factors_long : rope_factors_short)
        return RotaryEmbedding(rope, factors: factors)
    }
}
