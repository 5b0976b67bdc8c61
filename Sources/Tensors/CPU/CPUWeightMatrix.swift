// A weight matrix of the CPU backend.

import GGUF

/// A weight matrix, or a stack of them, read from the mapped model file.
package final class CPUWeightMatrix: WeightMatrix, @unchecked Sendable {
    /// First row of the first expert's matrix; `file` keeps it mapped.
    private let base: UnsafeRawPointer
    private let file: GGUFFile
    /// Bytes from row to row and from expert to expert.
    let rowBytes: Int, expertBytes: Int
    /// The product kernel of the type, and what it reads.
    let kernel: ProductKernel
    let input: InputFormat

    /// Rows `rows` of each of the tensor's matrices, which begin at `start`.
    init(
        _ tensor: TensorInfo, _ format: TensorFormat, at start: UnsafeRawPointer, rows: Range<Int>, matrixRows: Int,
        of file: GGUFFile, kernel: @escaping ProductKernel
    ) {
        self.file = file
        rowBytes = tensor.columns / format.blockSize * format.blockBytes
        expertBytes = rowBytes * matrixRows
        base = start + rows.lowerBound * rowBytes
        self.kernel = kernel
        input = format.input
        super.init(
            type: tensor.type, columns: tensor.columns, rows: rows.count, experts: tensor.rows / matrixRows)
    }

    /// Where row `row` of expert `expert`'s matrix begins.
    func row(_ row: Int, expert: Int = 0) -> UnsafeRawPointer { base + expert * expertBytes + row * rowBytes }
}
