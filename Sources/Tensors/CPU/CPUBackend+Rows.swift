// Operations of the CPU backend that treat each row on its own: embedding, norms, rotation, activations.

extension CPUBackend {
    package func embed(_ tokens: [Int32], _ table: EmbeddingTable, scale: Float, into x: Activations) {
        let source = unsafeDowncast(table, to: CPUEmbeddingTable.self)
        forEachRange(tokens.count, cost: table.columns) { range in
            for row in range {
                source.read(Int(tokens[row]), into: x.row(row))
                if scale != 1 { kernels.scale(table.columns, x.row(row), by: scale) }
            }
        }
    }

    package func rmsNorm(_ x: Activations, rows: Int, weight: WeightVector, epsilon: Float, into y: Activations) {
        let width = weight.count
        forEachRange(rows, cost: x.columns) { range in
            for row in range {
                for start in stride(from: 0, to: x.columns, by: width) {
                    kernels.rmsNorm(
                        width, x.row(row) + start, weight.values, epsilon: epsilon, into: y.row(row) + start)
                }
            }
        }
    }

    package func layerNorm(
        _ x: Activations, rows: Int, weight: WeightVector, bias: WeightVector?, epsilon: Float, into y: Activations
    ) {
        let width = weight.count
        forEachRange(rows, cost: x.columns) { range in
            for row in range {
                for start in stride(from: 0, to: x.columns, by: width) {
                    kernels.layerNorm(
                        width, x.row(row) + start, weight.values, bias?.values, epsilon: epsilon,
                        into: y.row(row) + start)
                }
            }
        }
    }

    package func rotate(
        _ x: Activations, rows: Int, headDimension: Int, rotation: Activations, pairing: RotaryPairing
    ) {
        forEachRange(rows, cost: x.columns) { range in
            for row in range {
                for head in stride(from: 0, to: x.columns, by: headDimension) {
                    kernels.rotate(rotation.columns / 2, x.row(row) + head, by: rotation.row(row), pairing)
                }
            }
        }
    }

    package func gate(_ gate: Activations, _ up: Activations, rows: Int, _ activation: Activation, into y: Activations)
    {
        forEachRange(rows, cost: gate.columns * 4) { range in
            for row in range { kernels.gate(gate.columns, gate.row(row), up.row(row), activation, into: y.row(row)) }
        }
    }

    package func activate(_ x: Activations, rows: Int, _ activation: Activation) {
        forEachRange(rows, cost: x.columns * 4) { range in
            for row in range { kernels.gate(x.columns, x.row(row), nil, activation, into: x.row(row)) }
        }
    }

    package func add(_ y: Activations, scale: Float, to x: Activations, rows: Int) {
        forEachRange(rows, cost: x.columns) { range in
            for row in range { kernels.addScaled(x.columns, y.row(row), scale: scale, to: x.row(row)) }
        }
    }

    package func scale(_ x: Activations, rows: Int, by scale: Float) {
        forEachRange(rows, cost: x.columns) { range in
            for row in range { kernels.scale(x.columns, x.row(row), by: scale) }
        }
    }

    package func scaleRows(_ x: Activations, rows: Int, by factors: Activations) {
        forEachRange(rows, cost: x.columns) { range in
            for row in range { kernels.scale(x.columns, x.row(row), by: factors.row(row)[0]) }
        }
    }

    package func softCap(_ x: Activations, rows: Int, cap: Float) {
        // A row can be as long as the vocabulary, so threads divide the elements, which are independent.
        forEachRange(rows * x.columns, cost: 4) { range in
            kernels.softCap(range.count, x.row(0) + range.lowerBound, cap: cap)
        }
    }
}
