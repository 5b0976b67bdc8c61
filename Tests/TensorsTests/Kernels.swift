// Calls of kernels with Swift arrays, shared by the tests.

import GGUF
import Tensors

/// The implementations present on this machine: the Swift one and, where there is one, the tuned one.
let kernelSets: [any KernelSet] = [ReferenceKernels()] + (TunedKernels().map { [$0] } ?? [])

extension KernelSet {
    /// The product of `rows` weight rows with `inputs`, rows of `k` values: one array per input row.
    func multiply(_ type: TensorType, _ weights: [UInt8], rows: Int, k: Int, _ inputs: [[Float]]) -> [[Float]] {
        guard let format = TensorFormat(type), let kernel = product(type) else { return [] }
        let stride = format.input.rowBytes(k)
        var blocks = [UInt8](repeating: 0, count: max(1, stride * inputs.count))
        var flat = [Float](repeating: .nan, count: rows * inputs.count)
        for (column, input) in inputs.enumerated() {
            blocks.withUnsafeMutableBytes { bytes in
                guard let start = bytes.baseAddress else { return }
                quantize(k, input, as: format.input, into: start + column * stride)
            }
        }
        flat.withUnsafeMutableBufferPointer { outputs in
            weights.withUnsafeBytes { weights in
                blocks.withUnsafeBytes { blocks in
                    guard let weightStart = weights.baseAddress, let inputStart = blocks.baseAddress,
                        let outputStart = outputs.baseAddress
                    else { return }
                    kernel(
                        Product(
                            k: k, rows: rows, weights: weightStart, weightStride: weights.count / rows,
                            columns: inputs.count, inputs: inputStart, inputStride: stride, outputs: outputStart,
                            outputStride: rows))
                }
            }
        }
        return inputs.indices.map { Array(flat[$0 * rows..<($0 + 1) * rows]) }
    }

    /// Applies an elementwise kernel.
    func map(
        _ x: [Float], _ kernel: (Self) -> (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) -> [Float] {
        var y = [Float](repeating: 0, count: x.count)
        kernel(self)(x.count, x, &y)
        return y
    }
}

extension Sequence<Float> {
    /// Bit patterns, with all NaNs alike: kernels promise that a result is NaN, not which.
    var bits: [UInt32] { map { $0.isNaN ? 0x7fc0_0000 : $0.bitPattern } }
}
