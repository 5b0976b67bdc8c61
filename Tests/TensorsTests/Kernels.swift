// Calls of kernels and backends with Swift arrays, shared by the tests.

import InferGGUF
import InferSupport
import InferTensors
import TestSupport

/// The implementations that this machine can run: the Swift one and all tuned ones.
let kernelSets: [any KernelSet] = [ReferenceKernels()] + tunedKernelSets
let tunedKernelSets: [TunedKernels] = TunedKernels.names.compactMap { TunedKernels($0) }
/// The one whose products a BLAS library computes; empty without a library.
let libraryKernelSets: [any KernelSet] = [try? BLASKernels()].compactMap { $0 }

/// Weights in the layout that a kernel reads.
struct Panels {
    let kernel: WeightKernel
    let bytes: [UInt8]
    let stride: Int

    /// `rows` rows of `k` elements, packed if the kernel reads panels.
    init(_ kernel: WeightKernel, _ weights: [UInt8], rows: Int, k: Int) {
        self.kernel = kernel
        let rowBytes = weights.count / rows
        guard kernel.isPacked else {
            (bytes, stride) = (weights, rowBytes)
            return
        }
        let panelBytes = kernel.panelBytes(k)
        // Bytes that packing does not write must not affect results, so they are not zero.
        var packed = [UInt8](repeating: 0xa5, count: kernel.panels(rows) * panelBytes)
        packed.withUnsafeMutableBytes { packed in
            weights.withUnsafeBytes { weights in
                guard let source = weights.baseAddress, let target = packed.baseAddress else { return }
                for panel in 0..<kernel.panels(rows) {
                    kernel.packPanel(panel, of: rows, k: k, source, stride: rowBytes, into: target)
                }
            }
        }
        (bytes, stride) = (packed, panelBytes)
    }
}

extension KernelSet {
    /// The product of `rows` weight rows with `inputs`, rows of `k` values: one array per input row.
    func multiply(_ type: TensorType, _ weights: [UInt8], rows: Int, k: Int, _ inputs: [[Float]]) -> [[Float]] {
        guard let kernel = self.weights(type) else { return [] }
        let panels = Panels(kernel, weights, rows: rows, k: k)
        let stride = kernel.input.rowBytes(k)
        var blocks = [UInt8](repeating: 0, count: max(1, stride * inputs.count))
        var flat = [Float](repeating: .nan, count: rows * inputs.count)
        for (column, input) in inputs.enumerated() {
            blocks.withUnsafeMutableBytes { bytes in
                guard let start = bytes.baseAddress else { return }
                quantize(k, input, as: kernel.input, into: start + column * stride)
            }
        }
        flat.withUnsafeMutableBufferPointer { outputs in
            panels.bytes.withUnsafeBytes { weights in
                blocks.withUnsafeBytes { blocks in
                    guard let weightStart = weights.baseAddress, let inputStart = blocks.baseAddress,
                        let outputStart = outputs.baseAddress
                    else { return }
                    kernel.multiply(
                        Product(
                            k: k, rows: rows, weights: weightStart, weightStride: panels.stride,
                            columns: inputs.count, inputs: inputStart, inputStride: stride, outputs: outputStart,
                            outputStride: rows))
                }
            }
        }
        return inputs.indices.map { Array(flat[$0 * rows..<($0 + 1) * rows]) }
    }

    /// The results of an elementwise kernel.
    func map(
        _ x: [Float], _ kernel: (Self) -> (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) -> [Float] {
        var y = [Float](repeating: 0, count: x.count)
        kernel(self)(x.count, x, &y)
        return y
    }
}

extension Sequence<Float> {
    /// Bit patterns, with one pattern for all NaNs: kernels do not specify the payload.
    var bits: [UInt32] { map { $0.isNaN ? 0x7fc0_0000 : $0.bitPattern } }
}
