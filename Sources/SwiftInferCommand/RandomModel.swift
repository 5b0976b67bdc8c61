// The tensors of a model with random weights.

import InferGGUF
import InferSupport

/// A model of a given shape whose matrices are drawn at random.
struct RandomModel {
    private let shape: ModelShape
    private let layers: Int
    private let type: TensorType

    private struct Tensor { let name: String, columns: Int, rows: Int, type: TensorType, value: Value }
    private enum Value { case random, constant(Float) }

    /// A model of `shape` with `layers` blocks and matrices of `type`.
    init(_ shape: ModelShape, layers: Int, type: TensorType) {
        self.shape = shape
        self.layers = layers
        self.type = type
    }

    /// What writes the file; `progress` is told the share that is written.
    func writer(progress: @escaping (Double) -> Void) throws(InferenceError) -> GGUFWriter {
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
