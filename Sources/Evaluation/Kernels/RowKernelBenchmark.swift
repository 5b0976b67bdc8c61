// The kernels other than products: what a call of each is, comparison with its twin in Swift, and timing.

import InferSupport
import InferTensors

/// A kernel that works on one row of values, or on the keys or values of several positions.
struct RowKernel {
    /// The values of a row.
    static let count = 2048
    /// Head size and number of queries for the kernels of attention. A row holds the keys or values of
    /// `count / headSize` positions.
    private static let headSize = 64, queries = 8

    let name: String
    /// Values that a call processes, or products that it adds.
    let elements: Int
    /// Converts random values to the kernel's input format, in place.
    let prepare: (_ kernels: any KernelSet, _ x: UnsafeMutablePointer<Float>) -> Void
    /// The call. It reads x and writes y or x.
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

    /// All of these kernels.
    static func all() -> [RowKernel] {
        var noise = KernelNoise()
        let weights = noise.values(count)
        // Stand for cosines and sines. They do not belong to one angle; that does not change the time.
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
            RowKernel("convolve 4") { kernels, x, y in
                let inputs: [UnsafePointer<Float>] = (0..<4).map { UnsafePointer(x + $0 * count / 4) }
                inputs.withUnsafeBufferPointer {
                    kernels.convolve(count / 4, $0, weights, nil, activates: true, into: y)
                }
            },
            scan("delta rule", beta: 0.5, sums: 3), scan("Mamba-2", beta: nil, sums: 2),
        ] + KVCacheType.allCases.map(score) + KVCacheType.allCases.map(accumulation)
    }

    /// A row is taken into sixteen value columns of a state, which the results are; what is read from it lies behind it.
    private static func scan(_ rule: String, beta: Float?, sums: Int) -> RowKernel {
        let keys = count / 16 - 8
        return RowKernel("scan \(rule)", elements: sums * keys * 16) { kernels, x in
            // With short keys and a decay the state stays bounded.
            kernels.scale(count, x, by: 0.1)
            x[count - 1] = 0.9
        } run: { kernels, x, y in
            kernels.scan(
                Scan(
                    keyLength: keys, count: 16, state: y, key: x, decay: x + (count - 1), decaysPerKey: false,
                    value: x + keys, beta: beta, query: x + count / 2, scale: 0.1, output: y + 16 * keys))
        }
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

/// Checks and times row kernels on rows of values and results that fill half of each thread's second cache.
struct RowKernelBenchmark {
    private let kernels: any KernelSet
    private let timer: KernelTimer
    /// Rows per thread.
    private let rows: Int
    private let x: AlignedMemory, y: AlignedMemory

    /// Prepares operands for the threads of `timer`.
    init(_ kernels: any KernelSet, _ timer: KernelTimer) throws(InferenceError) {
        self.kernels = kernels
        self.timer = timer
        rows = max(1, WorkingSet.l2.bytes(threads: timer.threads) / (2 * RowKernel.count * 4))
        x = try AlignedMemory(bytes: timer.threads, rows, RowKernel.count, 4, for: "values")
        y = try AlignedMemory(bytes: timer.threads, rows, RowKernel.count, 4, for: "results")
    }

    /// The largest distance of a result from the Swift kernel's, in units of the last place.
    func distance(_ kernel: RowKernel) -> Int {
        let expected = results(kernel, ReferenceKernels())
        return zip(results(kernel, kernels), expected).reduce(0) { distance, pair in
            // Results can be bytes that form NaNs by chance: different bit patterns are at least one unit apart.
            pair.0.bitPattern == pair.1.bitPattern ? distance : max(distance, 1, pair.0.ulps(from: pair.1))
        }
    }

    /// Times calls on successive rows.
    func time(_ kernel: RowKernel) -> KernelTimer.Timing {
        fill(kernel, kernels, rows: timer.threads * rows)
        return timer.time(warmUp: rows) { thread, index in
            let offset = (thread * rows + index % rows) * RowKernel.count
            kernel.run(kernels, x.floats + offset, y.floats + offset)
        }
    }

    private func results(_ kernel: RowKernel, _ kernels: any KernelSet) -> [Float] {
        fill(kernel, kernels, rows: 1)
        y.floats.update(repeating: 0, count: RowKernel.count)
        kernel.run(kernels, x.floats, y.floats)
        return Array(UnsafeBufferPointer(start: y.floats, count: RowKernel.count))
    }

    private func fill(_ kernel: RowKernel, _ kernels: any KernelSet, rows: Int) {
        var noise = KernelNoise()
        for row in 0..<rows {
            let values = x.floats + row * RowKernel.count
            values.update(from: noise.values(RowKernel.count), count: RowKernel.count)
            kernel.prepare(kernels, values)
        }
    }
}
