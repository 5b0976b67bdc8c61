// A weight matrix of the CPU backend.

import InferGGUF

/// A weight matrix, or a stack of them, in the panels its product kernel reads: packed ones in memory of its own, rows of the
/// file in the mapping.
package final class CPUWeightMatrix: WeightMatrix, @unchecked Sendable {
    /// First panel of the first expert's matrix; `owner` keeps it alive.
    private let base: UnsafeRawPointer
    private let owner: AnyObject
    /// Bytes from panel to panel and from expert to expert.
    let panelBytes: Int, expertBytes: Int
    /// The product kernel of the type, and what it reads.
    let kernel: WeightKernel
    let input: InputFormat

    /// Panels that begin at `base`, in memory that `owner` keeps.
    init(
        _ tensor: TensorInfo, rows: Int, experts: Int, kernel: WeightKernel, input: InputFormat,
        at base: UnsafeRawPointer, panelBytes: Int, expertBytes: Int, owner: AnyObject
    ) {
        self.base = base
        self.owner = owner
        self.panelBytes = panelBytes
        self.expertBytes = expertBytes
        self.kernel = kernel
        self.input = input
        super.init(type: tensor.type, columns: tensor.columns, rows: rows, experts: experts)
    }

    /// The product of rows `rows`, which begin with a panel, of expert `expert`'s matrix with `columns` inputs.
    func multiply(
        _ rows: Range<Int>, expert: Int = 0, columns: Int, inputs: UnsafeRawPointer, inputStride: Int,
        inputRows: UnsafePointer<Int32>? = nil, outputs: UnsafeMutablePointer<Float>, outputStride: Int,
        outputRows: UnsafePointer<Int32>? = nil
    ) {
        kernel.multiply(
            Product(
                k: self.columns, rows: rows.count,
                weights: base + expert * expertBytes + rows.lowerBound / kernel.panelRows * panelBytes,
                weightStride: panelBytes, columns: columns, inputs: inputs, inputStride: inputStride,
                inputRows: inputRows, outputs: outputs + rows.lowerBound, outputStride: outputStride,
                outputRows: outputRows))
    }
}
