// Loading weight matrices into the CPU backend: packed into panels, or left in the mapped file.

package import GGUF
import Synchronization

extension CPUBackend {
    /// Bytes of the file that are packed before the system may have their memory back.
    private static let slabBytes = 8 << 20

    package func makeMatrix(
        _ tensor: TensorInfo, rows: Range<Int>, of file: GGUFFile
    ) throws(InferenceError) -> WeightMatrix {
        let format = try format(of: tensor)
        guard let kernel = kernels.weights(tensor.type) else {
            throw InferenceError(.unsupportedTensorType, "no product kernel for type \(tensor.type) of \(tensor.name)")
        }
        guard tensor.shape.count == 2 || tensor.shape.count == 3 else {
            throw InferenceError(
                .malformedModel, "tensor \(tensor.name) has \(tensor.shape.count) dimensions; a matrix has two or three"
            )
        }
        guard rows.lowerBound >= 0, rows.upperBound <= tensor.shape[1] else {
            throw InferenceError(
                .malformedModel, "tensor \(tensor.name) has \(tensor.shape[1]) rows, rows \(rows) are needed")
        }
        let rowBytes = tensor.columns / format.blockSize * format.blockBytes
        let source = WeightRows(
            base: try start(of: tensor, in: file) + rows.lowerBound * rowBytes, rows: rows.count, rowBytes: rowBytes,
            experts: tensor.rows / tensor.shape[1], expertBytes: rowBytes * tensor.shape[1])
        guard let pack = kernel.pack else {
            return CPUWeightMatrix(
                tensor, rows: rows.count, experts: source.experts, kernel: kernel, input: format.input,
                at: source.base, panelBytes: rowBytes, expertBytes: source.expertBytes, owner: file)
        }
        let panels = (rows.count + kernel.panelRows - 1) / kernel.panelRows
        let panelBytes = (kernel.panelBytes(tensor.columns) + 63) & ~63
        let (byteCount, overflow) = (panels * panelBytes).multipliedReportingOverflow(by: source.experts)
        guard !overflow else {
            throw InferenceError(.outOfMemory, "tensor \(tensor.name) would need more memory than can be addressed")
        }
        let (base, owner) = try weightArena.withLock { arena throws(InferenceError) in
            try arena.allocate(byteCount, for: "tensor \(tensor.name)")
        }
        // A slab at a time, so that source and copy are in memory together for no more than that.
        let slab = max(1, Self.slabBytes / max(1, rowBytes * kernel.panelRows))
        for start in stride(from: 0, to: panels * source.experts, by: slab) {
            pool.run(min(slab, panels * source.experts - start)) { offset, _ in
                let index = start + offset
                let (expert, panel) = index.quotientAndRemainder(dividingBy: panels)
                let first = panel * kernel.panelRows
                pack(
                    tensor.columns, min(kernel.panelRows, rows.count - first), source.row(first, expert: expert),
                    rowBytes, base + index * panelBytes)
            }
            file.discard(tensor)
        }
        return CPUWeightMatrix(
            tensor, rows: rows.count, experts: source.experts, kernel: kernel, input: format.input, at: base,
            panelBytes: panelBytes, expertBytes: panels * panelBytes, owner: owner)
    }
}

/// Rows of each of a tensor's matrices, as the file stores them.
private struct WeightRows: @unchecked Sendable {
    /// The first row of the first expert's matrix.
    let base: UnsafeRawPointer
    /// Rows of a matrix and bytes from row to row.
    let rows: Int, rowBytes: Int
    /// Matrices and bytes from one to the next.
    let experts: Int, expertBytes: Int

    /// Where row `row` of expert `expert`'s matrix begins.
    func row(_ row: Int, expert: Int) -> UnsafeRawPointer { base + expert * expertBytes + row * rowBytes }
}
