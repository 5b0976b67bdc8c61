// The CPU backend's embedding table.

import InferGGUF

/// A matrix in the mapped model file whose rows are dequantised when they are looked up.
package final class CPUEmbeddingTable: EmbeddingTable, @unchecked Sendable {
    private let base: UnsafeRawPointer
    private let file: GGUFFile
    private let format: TensorFormat
    private let rowBytes: Int

    /// The table `tensor`, which begins at `start`.
    init(_ tensor: TensorInfo, _ format: TensorFormat, at start: UnsafeRawPointer, of file: GGUFFile) {
        base = start
        self.file = file
        self.format = format
        rowBytes = tensor.columns / format.blockSize * format.blockBytes
        super.init(columns: tensor.columns, rows: tensor.rows)
    }

    /// Writes row `row`'s `columns` values.
    func read(_ row: Int, into values: UnsafeMutablePointer<Float>) {
        format.dequantize(columns, base + row * rowBytes, into: values)
    }
}
