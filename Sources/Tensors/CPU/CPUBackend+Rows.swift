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

    package func rmsNorm(
        _ x: Activations, rows: Int, width: Int, weight: WeightVector, epsilon: Float, into y: Activations
    ) {
        forEachRange(rows, cost: x.columns) { range in
            for row in range {
                for start in stride(from: 0, to: x.columns, by: width) {
                    kernels.rmsNorm(
                        width, x.row(row) + start, weight.values + start % weight.count, epsilon: epsilon,
                        into: y.row(row) + start)
                }
            }
        }
    }

    package func layerNorm(
        _ x: Activations, rows: Int, width: Int, weight: WeightVector, bias: WeightVector?, epsilon: Float,
        into y: Activations
    ) {
        forEachRange(rows, cost: x.columns) { range in
            for row in range {
                for start in stride(from: 0, to: x.columns, by: width) {
                    let place = start % weight.count
                    kernels.layerNorm(
                        width, x.row(row) + start, weight.values + place, bias.map { $0.values + place },
                        epsilon: epsilon, into: y.row(row) + start)
                }
            }
        }
    }

    package func rotate(
        _ x: Activations, rows: Int, headDimension: Int, offset: Int, rotation: Activations, pairing: RotaryPairing
    ) {
        forEachRange(rows, cost: x.columns) { range in
            for row in range {
                for head in stride(from: offset, to: x.columns, by: headDimension) {
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
            for row in range {
                let width = x.columns / factors.columns
                for group in 0..<factors.columns {
                    kernels.scale(width, x.row(row) + group * width, by: factors.row(row)[group])
                }
            }
        }
    }

    package func add(_ y: Activations, scales factors: WeightVector, to x: Activations, rows: Int) {
        forEachRange(rows, cost: x.columns) { range in
            for row in range {
                let width = x.columns / factors.count
                for group in 0..<factors.count {
                    let start = group * width
                    kernels.addScaled(width, y.row(row) + start, scale: factors.values[group], to: x.row(row) + start)
                }
            }
        }
    }

    package func decay(_ x: Activations, rows: Int, rates: WeightVector) {
        forEachRange(rows, cost: x.columns * 4) { range in
            for row in range {
                let width = x.columns / rates.count
                for group in 0..<rates.count {
                    let values = x.row(row) + group * width
                    kernels.scale(width, values, by: rates.values[group])
                }
                kernels.exp(x.columns, x.row(row), into: x.row(row))
            }
        }
    }

    package func copyColumns(_ x: Activations, rows: Int, _ columns: ColumnCopy, into y: Activations) {
        forEachRange(rows, cost: columns.count * columns.length) { range in
            for row in range {
                let (source, target) = (x.row(row) + columns.source, y.row(row) + columns.target)
                for group in 0..<columns.count {
                    (target + group * columns.targetStride)
                        .update(from: source + group * columns.sourceStride, count: columns.length)
                }
            }
        }
    }

    package func softCap(_ x: Activations, rows: Int, cap: Float) {
        // A row can be as long as the vocabulary, so threads divide the elements, which are independent.
        forEachRange(rows * x.columns, cost: 4) { range in
            kernels.softCap(range.count, x.row(0) + range.lowerBound, cap: cap)
        }
    }
}
