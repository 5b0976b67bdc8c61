// Model files with the shape of a real model and random weights.

package import InferGGUF
package import InferSupport
import InferTokenizers

/// A model of a given shape with random matrices. It is useful for timing only.
package struct RandomModel {
    private let shape: ModelShape
    private let layers: Int
    private let type: TensorType

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
        let tensors = shape.tensors(layers: layers)
        let total = tensors.reduce(0) { $0 + $1.elementCount }
        var before = 0
        for (index, tensor) in tensors.enumerated() {
            let done = before
            before += tensor.elementCount
            let type = self.type(of: tensor)
            try writer.addTensor(tensor.name, type: type, shape: tensor.extents) { sink throws(InferenceError) in
                progress(Double(done) / Double(total))
                try Self.write(tensor, type, seed: UInt64(index), to: &sink)
            }
        }
        return writer
    }

    private func type(of tensor: ModelShape.Tensor) -> TensorType {
        switch tensor.kind {
        case .vector, .float: .f32
        case .matrix: type.fitting(columns: tensor.columns)
        case .output: type.outputMatrixType.fitting(columns: tensor.columns)
        }
    }

    private static func write(
        _ tensor: ModelShape.Tensor, _ type: TensorType, seed: UInt64, to sink: inout TensorSink
    ) throws(InferenceError) {
        if case .vector(let value) = tensor.kind {
            return try sink.append(contentsOf: [Float](repeating: value, count: tensor.columns))
        }
        guard var weights = RandomWeights(type, seed: seed << 32) else {
            throw InferenceError(.unsupportedTensorType, "\(type) weights cannot be drawn")
        }
        let deviation = 1 / Float(tensor.columns).squareRoot()
        for _ in 0..<tensor.rows * tensor.experts {
            try sink.append(contentsOf: weights.row(columns: tensor.columns, deviation: deviation))
        }
    }
}
