// Loading weight matrices into the CPU backend: packed into panels, or left in the mapped file.

package import InferGGUF
package import InferSupport
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
        let source = try start(of: tensor, in: file) + rows.lowerBound * rowBytes
        let sourceExpertBytes = rowBytes * tensor.shape[1]
        let experts = tensor.rows / tensor.shape[1]
        guard kernel.isPacked else {
            return CPUWeightMatrix(
                tensor, rows: rows.count, experts: experts, kernel: kernel, input: format.input, at: source,
                panelBytes: rowBytes, expertBytes: sourceExpertBytes, owner: file)
        }
        let panels = kernel.panels(rows.count)
        let panelBytes = kernel.panelBytes(tensor.columns)
        let (byteCount, overflow) = (panels * panelBytes).multipliedReportingOverflow(by: experts)
        guard !overflow else {
            throw InferenceError(.outOfMemory, "tensor \(tensor.name) would need more memory than can be addressed")
        }
        let (base, owner) = try weightArena.withLock { arena throws(InferenceError) in
            try arena.allocate(byteCount, for: "tensor \(tensor.name)")
        }
        // A slab at a time, so that source and copy are in memory together for no more than that.
        let slab = max(1, Self.slabBytes / max(1, rowBytes * kernel.panelRows))
        for start in stride(from: 0, to: panels * experts, by: slab) {
            pool.run(min(slab, panels * experts - start)) { offset, _ in
                let (expert, panel) = (start + offset).quotientAndRemainder(dividingBy: panels)
                kernel.packPanel(
                    panel, of: rows.count, k: tensor.columns, source + expert * sourceExpertBytes, stride: rowBytes,
                    into: base + expert * panels * panelBytes)
            }
            file.discard(tensor)
        }
        return CPUWeightMatrix(
            tensor, rows: rows.count, experts: experts, kernel: kernel, input: format.input, at: base,
            panelBytes: panelBytes, expertBytes: panels * panelBytes, owner: owner)
    }
}
