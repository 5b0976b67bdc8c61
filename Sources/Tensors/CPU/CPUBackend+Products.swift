// Products of activations with weight matrices on the CPU.

import Synchronization

extension CPUBackend {
    /// Columns computed while a chunk of weights stays in the cache.
    private static let columnTile = 32

    package func multiply(_ x: Activations, rows: Int, _ projections: [Projection]) {
        scratch.withLock { scratch in
            multiply(x, rows: rows, projections, quantised: scratch.inputs.base)
        }
    }

    private func multiply(
        _ x: Activations, rows: Int, _ projections: [Projection], quantised: UnsafeMutableRawPointer
    ) {
        var rest = projections[...]
        // Matrices that read the same input format share one quantisation and one region.
        while let first = rest.first {
            let format = unsafeDowncast(first.weight, to: CPUWeightMatrix.self).input
            let group = rest.filter { unsafeDowncast($0.weight, to: CPUWeightMatrix.self).input == format }
            rest = rest.filter { unsafeDowncast($0.weight, to: CPUWeightMatrix.self).input != format }[...]
            let inputs = prepare(x, rows: rows, as: format, in: quantised)
            let panelRows = group.reduce(1) {
                max($0, unsafeDowncast($1.weight, to: CPUWeightMatrix.self).kernel.panelRows)
            }
            let chunks = RowChunks(group.map(\.weight.rows), panelRows: panelRows, threads: threads)
            pool.run(chunks.count) { chunk, _ in
                let (index, range) = chunks[chunk]
                for first in stride(from: 0, to: rows, by: Self.columnTile) {
                    multiply(
                        group[index], range, inputs, x.columns, format,
                        columns: first..<min(first + Self.columnTile, rows))
                }
            }
        }
    }

    /// The step's activations in the input format of a product kernel.
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

    private func multiply(
        _ projection: Projection, _ range: Range<Int>, _ inputs: UnsafeRawPointer, _ inputColumns: Int,
        _ format: InputFormat, columns: Range<Int>
    ) {
        let weight = unsafeDowncast(projection.weight, to: CPUWeightMatrix.self)
        let output = projection.output
        let stride = format.rowBytes(inputColumns)
        weight.multiply(
            range, columns: columns.count, inputs: inputs + columns.lowerBound * stride, inputStride: stride,
            outputs: output.row(columns.lowerBound), outputStride: output.columns)
        guard let bias = projection.bias?.values else { return }
        for column in columns { addBias(bias, range, to: output.row(column)) }
    }

    /// y[r] += bias[r], for r in `range`.
    func addBias(_ bias: UnsafePointer<Float>, _ range: Range<Int>, to y: UnsafeMutablePointer<Float>) {
        kernels.addScaled(range.count, bias + range.lowerBound, scale: 1, to: y + range.lowerBound)
    }
}
