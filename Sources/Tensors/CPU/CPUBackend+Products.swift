// Products of activations with weight matrices on the CPU, and how their rows are divided among threads.

import Synchronization

extension CPUBackend {
    package func multiply(_ x: Activations, rows: Int, _ projections: [Projection]) {
        scratch.withLock { scratch in
            projections.withUnsafeBufferPointer { projections in
                // Consecutive projections with the same input format share one quantisation and one parallel region.
                var start = 0
                while start < projections.count {
                    let format = projections[start].matrix.input
                    var end = start + 1
                    while end < projections.count, projections[end].matrix.input == format { end += 1 }
                    let inputs = prepare(x, rows: rows, as: format, in: scratch.inputs.base)
                    multiply(
                        inputs, stride: format.rowBytes(x.columns), rows: rows,
                        UnsafeBufferPointer(rebasing: projections[start..<end]))
                    start = end
                }
            }
        }
    }

    /// One projection of a region as plain pointers. Reference counting of shared objects would make the threads wait
    /// for each other.
    private struct Part {
        let matrix: Unmanaged<CPUWeightMatrix>
        let rows: Int
        /// The projection's panels, numbered within the region.
        let panels: Range<Int>
        let bias: UnsafePointer<Float>?
        let outputs: UnsafeMutablePointer<Float>
        let outputStride: Int
        let maxima: UnsafeMutablePointer<Float>?
        let maximaStride: Int
    }

    /// Multiplies `rows` prepared rows by matrices that read their format, in one region.
    private func multiply(
        _ inputs: UnsafeRawPointer, stride: Int, rows: Int, _ projections: UnsafeBufferPointer<Projection>
    ) {
        // One chunk must contain all rows of a block of maxima.
        let panelRows = projections.reduce(1) {
            max($0, $1.matrix.kernel.chunkRows, $1.maxima == nil ? 1 : TopTokenBuffers.blockLength)
        }
        withUnsafeTemporaryAllocation(of: Part.self, capacity: projections.count) { parts in
            var panels = 0
            for (index, projection) in projections.enumerated() {
                let first = panels
                panels += (projection.weight.rows + panelRows - 1) / panelRows
                parts.initializeElement(
                    at: index,
                    to: Part(
                        matrix: Unmanaged.passUnretained(projection.matrix), rows: projection.weight.rows,
                        panels: first..<panels, bias: projection.bias?.values, outputs: projection.output.row(0),
                        outputStride: projection.output.columns, maxima: projection.maxima?.row(0),
                        maximaStride: projection.maxima?.columns ?? 0))
            }
            let chunks = RowChunks(panels: panels, panelRows: panelRows, threads: threads)
            pool.run(chunks.count) { chunk, _ in
                let panels = chunks.panels(of: chunk)
                for part in parts where part.panels.overlaps(panels) {
                    let own = part.panels.clamped(to: panels)
                    let first = (own.lowerBound - part.panels.lowerBound) * panelRows
                    let range = first..<min(first + own.count * panelRows, part.rows)
                    multiply(inputs, stride: stride, rows: rows, part, range)
                }
            }
        }
    }

    /// Multiplies all input rows by weight rows `range` of a part.
    private func multiply(
        _ inputs: UnsafeRawPointer, stride: Int, rows: Int, _ part: Part, _ range: Range<Int>
    ) {
        let tile = part.matrix._withUnsafeGuaranteedRef { $0.kernel.columnTile }
        for first in Swift.stride(from: 0, to: rows, by: tile) {
            let outputs = part.outputs + first * part.outputStride
            let columns = min(tile, rows - first)
            part.matrix._withUnsafeGuaranteedRef {
                $0.multiply(
                    range, columns: columns, inputs: inputs + first * stride, inputStride: stride, outputs: outputs,
                    outputStride: part.outputStride)
            }
            if let bias = part.bias {
                for column in 0..<columns { addBias(bias, range, to: outputs + column * part.outputStride) }
            }
            guard let maxima = part.maxima else { continue }
            let block = range.lowerBound / TopTokenBuffers.blockLength
            for column in 0..<columns {
                kernels.maxima(
                    range.count, outputs + column * part.outputStride + range.lowerBound,
                    into: maxima + (first + column) * part.maximaStride + block)
            }
        }
    }

    /// Converts a step's activations to the input format of a product kernel; returns their address.
    func prepare(
        _ x: Activations, rows: Int, as format: InputFormat, in memory: UnsafeMutableRawPointer
    ) -> UnsafeRawPointer {
        if format == .float { return UnsafeRawPointer(x.row(0)) }
        let rowBytes = format.rowBytes(x.columns)
        forEachRange(rows, cost: x.columns * 2) { range in
            for row in range { kernels.quantize(x.columns, x.row(row), as: format, into: memory + row * rowBytes) }
        }
        return UnsafeRawPointer(memory)
    }

    /// y[r] += bias[r] for r in `range`.
    func addBias(_ bias: UnsafePointer<Float>, _ range: Range<Int>, to y: UnsafeMutablePointer<Float>) {
        kernels.addScaled(range.count, bias + range.lowerBound, scale: 1, to: y + range.lowerBound)
    }
}

/// Chunks of consecutive panels of one or several matrices. The chunk of a row does not affect its value.
///
/// The last chunks are single panels, so that all threads end at about the same time even if their speeds or shares
/// differ.
package struct RowChunks {
    /// Number of chunks.
    package let count: Int
    private let panels: Int
    /// Number of panels in each large chunk, and number of large chunks, which come first.
    private let size: Int, large: Int

    /// Divides `panels` panels of `panelRows` rows.
    package init(panels: Int, panelRows: Int, threads: Int) {
        self.panels = panels
        let last = min(panels, 2 * threads)
        // At least four chunks per thread, for balance; at most 64 rows per chunk, for the cache.
        size = min(max((panels - last) / (threads * 4), 1), max(64 / panelRows, 1))
        large = (panels - last) / size
        count = large + (panels - large * size)
    }

    /// The panels of chunk `chunk`.
    package func panels(of chunk: Int) -> Range<Int> {
        if chunk < large { return chunk * size..<(chunk + 1) * size }
        let panel = large * size + chunk - large
        return panel..<panel + 1
    }
}
