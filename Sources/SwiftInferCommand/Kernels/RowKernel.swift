// The kernels beside products that `bench kernels` times: what a call of each is.

import InferTensors

/// A kernel that works on one row of values.
struct RowKernel {
    /// The values of a row.
    static let count = 2048
    /// Heads, head size and queries for the kernels of attention; a row holds the keys or values of `count / headSize`
    /// positions.
    private static let headSize = 64, queries = 8

    let name: String
    /// Values the call works on, or products it adds.
    let elements: Int
    /// Turns random values into what the kernel reads, in place.
    let prepare: (_ kernels: any KernelSet, _ x: UnsafeMutablePointer<Float>) -> Void
    /// The call: reads x, and writes y or x.
    let run: (_ kernels: any KernelSet, _ x: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>) -> Void

    private init(
        _ name: String, elements: Int = RowKernel.count,
        prepare: @escaping (any KernelSet, UnsafeMutablePointer<Float>) -> Void = { _, _ in },
        run: @escaping (any KernelSet, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) {
        self.name = name
        self.elements = elements
        self.prepare = prepare
        self.run = run
    }

    /// All of them.
    static func all() -> [RowKernel] {
        var noise = KernelNoise()
        let weights = noise.values(count)
        // Cosines and sines, though not of one angle: that makes no difference in time.
        let rotation = noise.values(count)
        return [
            RowKernel("quantize 32") { $0.quantize(count, $1, as: .blocks32, into: $2) },
            RowKernel("quantize 256") { $0.quantize(count, $1, as: .blocks256, into: $2) },
            RowKernel("rms norm") { $0.rmsNorm(count, $1, weights, epsilon: 1e-5, into: $2) },
            RowKernel("layer norm") { $0.layerNorm(count, $1, weights, weights, epsilon: 1e-5, into: $2) },
            RowKernel("softmax") { kernels, x, y in
                y.update(from: x, count: count)
                _ = kernels.softmax(count, y, scale: 4, cap: 0, sink: -.infinity)
            },
            RowKernel("rotate adjacent") { kernels, x, y in
                y.update(from: x, count: count)
                kernels.rotate(count / 2, y, by: rotation, .adjacent)
            },
            RowKernel("rotate halves") { kernels, x, y in
                y.update(from: x, count: count)
                kernels.rotate(count / 2, y, by: rotation, .halves)
            },
            RowKernel("gate silu") { $0.gate(count, $1, weights, .silu, into: $2) },
            RowKernel("gate gelu") { $0.gate(count, $1, weights, .gelu, into: $2) },
        ] + KVCacheType.allCases.map(score) + KVCacheType.allCases.map(accumulation)
    }

    private static func score(_ type: KVCacheType) -> RowKernel {
        let format: InputFormat = type == .q8_0 ? .blocks32 : .float
        let stride = format.rowBytes(headSize)
        var noise = KernelNoise()
        let rows = noise.values(queries * headSize)
        var inputs = [UInt8](repeating: 0, count: queries * stride)
        return RowKernel("score \(type)", elements: count * queries) { kernels, x in
            let keys = Array(UnsafeBufferPointer(start: x, count: count))
            let panelBytes = KVCacheShape(
                layers: 1, heads: 1, keyDimension: headSize, valueDimension: 0, slots: 16, type: type
            ).byteCount
            keys.withUnsafeBufferPointer { keys in
                guard let base = keys.baseAddress else { return }
                for position in 0..<count / headSize {
                    kernels.storeKey(
                        headSize, base + position * headSize, as: type,
                        into: UnsafeMutableRawPointer(x) + position / 16 * panelBytes, lane: position % 16)
                }
            }
            rows.withUnsafeBufferPointer { rows in
                inputs.withUnsafeMutableBytes { inputs in
                    guard let base = rows.baseAddress, let start = inputs.baseAddress else { return }
                    for query in 0..<queries {
                        kernels.quantize(headSize, base + query * headSize, as: format, into: start + query * stride)
                    }
                }
            }
        } run: { kernels, x, y in
            inputs.withUnsafeBytes { inputs in
                guard let start = inputs.baseAddress else { return }
                kernels.score(
                    Scoring(
                        dimension: headSize, panels: count / headSize / 16, keys: UnsafeRawPointer(x), count: queries,
                        queries: start, queryStride: stride, scores: y, scoreStride: count / headSize), type)
            }
        }
    }

    private static func accumulation(_ type: KVCacheType) -> RowKernel {
        let positions = count / headSize
        var noise = KernelNoise()
        let probabilities = noise.values(queries * positions)
        let stride = KVCacheShape(
            layers: 1, heads: 1, keyDimension: 0, valueDimension: headSize, slots: 1, type: type
        ).byteCount
        return RowKernel("accumulate \(type)", elements: count * queries) { kernels, x in
            let values = Array(UnsafeBufferPointer(start: x, count: count))
            for position in 0..<positions {
                values.withUnsafeBufferPointer { values in
                    guard let base = values.baseAddress else { return }
                    kernels.store(
                        headSize, base + position * headSize, as: type,
                        into: UnsafeMutableRawPointer(x) + position * stride)
                }
            }
        } run: { kernels, x, y in
            y.update(repeating: 0, count: queries * headSize)
            kernels.accumulate(
                Accumulation(
                    dimension: headSize, count: positions, values: UnsafeRawPointer(x), valueStride: stride,
                    queries: queries, weights: probabilities, weightStride: positions, outputs: y,
                    outputStride: headSize), type)
        }
    }
}
