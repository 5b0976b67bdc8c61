// The shapes of real models, for files that are made up to time kernels with.

import InferGGUF
import InferTokenizers

/// Sizes and names of a real model: everything about its file but the weights.
struct ModelShape {
    let name: String
    let architecture: String
    let layers: Int
    let width: Int
    let feedForward: Int
    let heads: Int
    let keyValueHeads: Int
    let vocabulary: Int
    let contextLength: Int
    let ropeBase: Float
    /// Positions are divided by this; 1 for most models.
    var ropeFactor: Float = 1
    /// Whether queries, keys and values have biases.
    var hasBiases = false
    /// Whether the outputs share the embedding's matrix.
    var isTied = false

    var headLength: Int { width / heads }

    /// The shapes there are, smallest first.
    static let all = [
        ModelShape(
            name: "smollm2-135m", architecture: "llama", layers: 30, width: 576, feedForward: 1536, heads: 9,
            keyValueHeads: 3, vocabulary: 49_152, contextLength: 8192, ropeBase: 100_000, isTied: true),
        ModelShape(
            name: "qwen2.5-coder-0.5b", architecture: "qwen2", layers: 24, width: 896, feedForward: 4864, heads: 14,
            keyValueHeads: 2, vocabulary: 151_936, contextLength: 32_768, ropeBase: 1_000_000, hasBiases: true,
            isTied: true),
        ModelShape(
            name: "dsc-1.3b", architecture: "llama", layers: 24, width: 2048, feedForward: 5504, heads: 16,
            keyValueHeads: 16, vocabulary: 32_256, contextLength: 16_384, ropeBase: 100_000, ropeFactor: 4),
        ModelShape(
            name: "qwen2.5-coder-1.5b", architecture: "qwen2", layers: 28, width: 1536, feedForward: 8960, heads: 12,
            keyValueHeads: 2, vocabulary: 151_936, contextLength: 32_768, ropeBase: 1_000_000, hasBiases: true,
            isTied: true),
        ModelShape(
            name: "llama-7b", architecture: "llama", layers: 32, width: 4096, feedForward: 11_008, heads: 32,
            keyValueHeads: 32, vocabulary: 32_000, contextLength: 4096, ropeBase: 10_000),
    ]

    /// The metadata of such a model with `layers` blocks; its vocabulary is 256 bytes and fillers.
    func metadata(layers: Int) -> Metadata {
        var metadata = Metadata()
        metadata["general.architecture"] = .string(architecture)
        metadata["general.name"] = .string("random weights in the shape of \(name)")
        func set(_ key: String, _ value: Int) { metadata["\(architecture).\(key)"] = .uint32(UInt32(value)) }
        set("block_count", layers)
        set("context_length", contextLength)
        set("embedding_length", width)
        set("feed_forward_length", feedForward)
        set("attention.head_count", heads)
        set("attention.head_count_kv", keyValueHeads)
        set("rope.dimension_count", headLength)
        set("vocab_size", vocabulary)
        metadata["\(architecture).attention.layer_norm_rms_epsilon"] = .float32(1e-6)
        metadata["\(architecture).rope.freq_base"] = .float32(ropeBase)
        if ropeFactor != 1 {
            metadata["\(architecture).rope.scaling.type"] = .string("linear")
            metadata["\(architecture).rope.scaling.factor"] = .float32(ropeFactor)
        }
        metadata["tokenizer.ggml.model"] = .string("gpt2")
        metadata["tokenizer.ggml.pre"] = .string("gpt-2")
        let bytes = ByteAlphabet.encoded.map { String(decoding: $0, as: UTF8.self) }
        let fillers = (bytes.count..<vocabulary - 1).map { "<filler-\($0)>" }
        metadata["tokenizer.ggml.tokens"] = .array(MetadataArray(bytes + fillers + ["<end>"]))
        let kinds = [Int32](repeating: 1, count: vocabulary - 1) + [3]
        metadata["tokenizer.ggml.token_type"] = .array(MetadataArray(kinds))
        // One merge of two fillers, which no text contains: readers insist on a list.
        metadata["tokenizer.ggml.merges"] = .array(MetadataArray(["\(fillers[0]) \(fillers[1])"]))
        metadata["tokenizer.ggml.eos_token_id"] = .uint32(UInt32(vocabulary - 1))
        metadata["tokenizer.ggml.add_bos_token"] = .bool(false)
        return metadata
    }
}
