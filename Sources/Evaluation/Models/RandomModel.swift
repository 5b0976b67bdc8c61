// Model files with the shape of a real model and random weights.

package import InferGGUF
package import InferSupport
import InferTokenizers

/// A model of a given shape with random matrices. It is useful for timing only.
package struct RandomModel {
    private let shape: ModelShape
    private let layers: Int
    private let type: TensorType

    private struct Tensor { let name: String, columns: Int, rows: Int, type: TensorType, value: Value }
    private enum Value { case random, constant(Float) }

    /// A model of `shape` with `layers` blocks and matrices of `type`. A matrix has another type if its rows do not fill the
    /// blocks of `type` or if it is the output matrix: ``TensorType/fitting(columns:)``, ``TensorType/outputMatrixType``.
    package init(_ shape: ModelShape, layers: Int, type: TensorType) {
        self.shape = shape
        self.layers = layers
        self.type = type
    }

    /// A writer of the file. The same model gives the same bytes.
    ///
    /// - Parameter progress: Called before each tensor with the fraction written.
    package func writer(progress: @escaping (Double) -> Void) throws(InferenceError) -> GGUFWriter {
        var writer = GGUFWriter(metadata: shape.metadata(layers: layers))
        let tensors = tensors
        let total = tensors.reduce(0) { $0 + $1.columns * $1.rows }
        var before = 0
        for (index, tensor) in tensors.enumerated() {
            let done = before
            before += tensor.columns * tensor.rows
            let extents = tensor.rows == 0 ? [tensor.columns] : [tensor.columns, tensor.rows]
            try writer.addTensor(tensor.name, type: tensor.type, shape: extents) { sink throws(InferenceError) in
                progress(Double(done) / Double(total))
                try Self.write(tensor, seed: UInt64(index), to: &sink)
            }
        }
        return writer
    }

    private static func write(_ tensor: Tensor, seed: UInt64, to sink: inout TensorSink) throws(InferenceError) {
        switch tensor.value {
        case .constant(let value):
            try sink.append(contentsOf: [Float](repeating: value, count: tensor.columns))
        case .random:
            guard var weights = RandomWeights(tensor.type, seed: seed << 32) else {
                throw InferenceError(.unsupportedTensorType, "\(tensor.type) weights cannot be drawn")
            }
            let deviation = 1 / Float(tensor.columns).squareRoot()
            for _ in 0..<tensor.rows {
                try sink.append(contentsOf: weights.row(columns: tensor.columns, deviation: deviation))
            }
        }
    }

    private var tensors: [Tensor] {
        let (width, keys) = (shape.width, shape.keyValueHeads * shape.headLength)
        func matrix(_ name: String, _ columns: Int, _ rows: Int, _ type: TensorType? = nil) -> Tensor {
            let type = (type ?? self.type).fitting(columns: columns)
            return Tensor(name: name + ".weight", columns: columns, rows: rows, type: type, value: .random)
        }
        func vector(_ name: String, _ count: Int, _ value: Float) -> Tensor {
            Tensor(name: name, columns: count, rows: 0, type: .f32, value: .constant(value))
        }
        var tensors = [matrix("token_embd", width, shape.vocabulary, shape.isTied ? type.outputMatrixType : nil)]
        for layer in 0..<layers {
            let block = "blk.\(layer)."
            tensors += [
                vector(block + "attn_norm.weight", width, 1), matrix(block + "attn_q", width, width),
                matrix(block + "attn_k", width, keys), matrix(block + "attn_v", width, keys),
                matrix(block + "attn_output", width, width), vector(block + "ffn_norm.weight", width, 1),
                matrix(block + "ffn_gate", width, shape.feedForward),
                matrix(block + "ffn_up", width, shape.feedForward),
                matrix(block + "ffn_down", shape.feedForward, width),
            ]
            guard shape.hasBiases else { continue }
            tensors += [
                vector(block + "attn_q.bias", width, 0.1), vector(block + "attn_k.bias", keys, 0.1),
                vector(block + "attn_v.bias", keys, 0.1),
            ]
        }
        tensors.append(vector("output_norm.weight", width, 1))
        if !shape.isTied { tensors.append(matrix("output", width, shape.vocabulary, type.outputMatrixType)) }
        return tensors
    }
}

/// The sizes and names of a real model: everything in its file except the weights.
package struct ModelShape: Sendable {
    package let name: String
    let architecture: String
    package let layers: Int
    let width: Int
    let feedForward: Int
    let heads: Int
    let keyValueHeads: Int
    let vocabulary: Int
    let contextLength: Int
    let ropeBase: Float
    /// The factor that positions are divided by (linear RoPE scaling); 1 for none.
    var ropeFactor: Float = 1
    /// Whether queries, keys and values have biases.
    var hasBiases = false
    /// Whether the embedding matrix is also the output matrix.
    var isTied = false

    /// Elements of a head.
    var headLength: Int { width / heads }

    /// All shapes, smallest first.
    package static let all = [
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

    /// The metadata of a model of this shape with `layers` blocks. The vocabulary consists of the 256 bytes, fillers and an end
    /// token.
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
        // Readers require a list of merges. No text contains the two fillers of this one.
        metadata["tokenizer.ggml.merges"] = .array(MetadataArray(["\(fillers[0]) \(fillers[1])"]))
        metadata["tokenizer.ggml.eos_token_id"] = .uint32(UInt32(vocabulary - 1))
        metadata["tokenizer.ggml.add_bos_token"] = .bool(false)
        return metadata
    }
}
