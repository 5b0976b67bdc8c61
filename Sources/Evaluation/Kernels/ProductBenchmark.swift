// The product kernel of one weight type: comparison with its twin in Swift, and timing.

import InferGGUF
import InferSupport
import InferTensors

/// The product kernel of one type with random weights, and operands for every width up to the widest.
struct ProductBenchmark {
    /// One call of the kernel.
    struct Call {
        /// Elements of a row and rows of weights.
        let k: Int, rows: Int
        /// Bytes of weights.
        let bytes: Int

        /// The most rows of a call, as the engine splits a matrix.
        static let rows = 64
        /// The most rows of a call of a library.
        static let libraryRows = 512

        /// A call on as many panels of `kernel` as fit in `bytes`, with at most ``rows`` rows.
        init(_ kernel: WeightKernel, _ rowBytes: Int, k: Int, in bytes: Int) {
            let panelBytes = kernel.isPacked ? kernel.panelBytes(k) : rowBytes
            let panels = max(1, min(Self.rows / kernel.panelRows, bytes / panelBytes))
            self.k = k
            rows = panels * kernel.panelRows
            self.bytes = panels * panelBytes
        }
    }

    /// Elements of a weight row: for the working set L1, and for the others.
    private static let shortRow = 256, longRow = 1024

    /// The type of the weights.
    let type: TensorType
    /// The format of the inputs.
    let input: InputFormat
    private let kernels: any KernelSet
    private let kernel: WeightKernel
    private let format: TensorFormat
    private let widest: Int
    /// The memory of the weights, with room for every working set.
    private let ring: AlignedMemory
    private let inputs: AlignedMemory, outputs: AlignedMemory
    private var source: RandomWeights

    /// Prepares operands for widths up to `widest` on `threads` threads; nil for a type without a kernel.
    init?(
        _ type: TensorType, _ kernels: any KernelSet, widest: Int, threads: Int, ring: AlignedMemory
    ) throws(InferenceError) {
        guard let kernel = kernels.weights(type), let source = RandomWeights(type, seed: 1),
            let format = TensorFormat(type)
        else { return nil }
        self.type = type
        self.kernels = kernels
        self.kernel = kernel
        self.widest = widest
        self.ring = ring
        self.source = source
        self.format = format
        input = kernel.input
        let rows = max(Call.rows, kernel.panelRows)
        inputs = try AlignedMemory(bytes: widest, input.rowBytes(Self.longRow), for: "inputs")
        outputs = try AlignedMemory(bytes: threads, widest, rows, 4, for: "outputs")
    }

    /// For each of `widths`, the largest distance of an output from the Swift kernel's, in units of the last place; nil for
    /// kernels whose bits are their own.
    mutating func distances(_ widths: [Int]) -> [Int?] {
        guard kernels.hasReferenceBits else { return widths.map { _ in nil } }
        // Rows that do not fill the last panel.
        let k = Self.longRow / 2, rows = kernel.panelRows + 3
        guard let twin = ReferenceKernels().weights(type) else { return widths.map { _ in Int.max } }
        let file = (0..<rows).flatMap { _ in source.row(columns: k, deviation: 1) }
        fillInputs(k)
        let expected = file.withUnsafeBytes { file in
            file.baseAddress.map { product(twin, $0, stride: file.count / rows, k: k, rows: rows, width: widest) }
        }
        let stride = pack(file, rows: rows, k: k)
        return widths.map { width in
            let actual = product(kernel, UnsafeRawPointer(ring.base), stride: stride, k: k, rows: rows, width: width)
            return zip(actual, expected ?? []).reduce(0) { max($0, $1.0.ulps(from: $1.1)) }
        }
    }

    /// Times a call at each of `widths`. Successive calls read successive copies of the weights, which fill the working set.
    mutating func time(_ widths: [Int], _ workingSet: WorkingSet, _ timer: KernelTimer) -> (
        call: Call, timings: [KernelTimer.Timing]
    ) {
        let k = workingSet == .l1 ? Self.shortRow : Self.longRow
        let bytes = workingSet.bytes(threads: timer.threads)
        let call = Call(kernel, k / type.blockSize * type.blockBytes, k: k, in: bytes)
        let calls = max(1, bytes / call.bytes)
        let file = (0..<call.rows).flatMap { _ in source.row(columns: k, deviation: 1) }
        let stride = pack(file, rows: call.rows, k: k)
        for copy in 1..<calls * timer.threads {
            (ring.base + copy * call.bytes).copyMemory(from: ring.base, byteCount: call.bytes)
        }
        fillInputs(k)
        let timings = widths.map { width in
            // One pass over all weights before the first width loads them into the cache.
            timer.time(warmUp: width == widths[0] ? calls : 1) { thread, index in
                multiply(
                    kernel, UnsafeRawPointer(ring.base) + (thread * calls + index % calls) * call.bytes,
                    stride: stride, k: k, rows: call.rows, width: width,
                    into: outputs.floats + thread * widest * call.rows)
            }
        }
        return (call, timings)
    }

    /// For each of `widths`, the time of a BLAS library for one product: in a call of the shape that it likes best, of
    /// many rows and just that width, after weights of other types than f32 were converted to f32.
    mutating func time(
        _ library: BLASLibrary, _ widths: [Int], _ workingSet: WorkingSet, _ timer: KernelTimer
    ) throws(InferenceError) -> [KernelTimer.Timing] {
        let k = workingSet == .l1 ? Self.shortRow : Self.longRow
        let rowBytes = k / type.blockSize * type.blockBytes
        let bytes = workingSet.bytes(threads: timer.threads)
        let rows = max(1, min(Call.libraryRows, bytes / rowBytes))
        let callBytes = rows * rowBytes
        let calls = max(1, bytes / callBytes)
        let file = (0..<rows).flatMap { _ in source.row(columns: k, deviation: 1) }
        for copy in 0..<calls * timer.threads {
            file.withUnsafeBytes { bytes in
                guard let file = bytes.baseAddress else { return }
                (ring.base + copy * callBytes).copyMemory(from: file, byteCount: callBytes)
            }
        }
        var noise = KernelNoise()
        let inputs = noise.values(widest * k)
        let threadFloats = rows * (k + widest)
        let memory = try AlignedMemory(bytes: timer.threads, threadFloats, 4, for: "the operands of a library")
        return inputs.withUnsafeBufferPointer { inputs in
            guard let inputs = inputs.baseAddress else { return [] }
            return widths.map { width in
                timer.time(warmUp: width == widths[0] ? calls : 1) { thread, index in
                    let weights = ring.base + (thread * calls + index % calls) * callBytes
                    let converted = memory.floats + thread * threadFloats
                    var floats = UnsafePointer(converted)
                    if type == .f32 {
                        floats = UnsafePointer(weights.assumingMemoryBound(to: Float.self))
                    } else {
                        format.dequantize(rows * k, weights, into: converted)
                    }
                    library.multiply(width, rows, k, inputs, k, floats, k, into: converted + rows * k)
                }
            }.map { timing in
                // For one row, to be compared with calls of other numbers of rows.
                KernelTimer.Timing(median: timing.median / Double(rows), minimum: timing.minimum / Double(rows))
            }
        }
    }

    /// Puts rows of the file at the beginning of the ring in the layout that the kernel reads.
    ///
    /// - Returns: The bytes from one panel to the next.
    private func pack(_ file: [UInt8], rows: Int, k: Int) -> Int {
        let rowBytes = file.count / rows
        file.withUnsafeBytes { file in
            guard let file = file.baseAddress else { return }
            guard kernel.isPacked else {
                ring.base.copyMemory(from: file, byteCount: rows * rowBytes)
                return
            }
            for panel in 0..<kernel.panels(rows) {
                kernel.packPanel(panel, of: rows, k: k, file, stride: rowBytes, into: ring.base)
            }
        }
        return kernel.isPacked ? kernel.panelBytes(k) : rowBytes
    }

    private func fillInputs(_ k: Int) {
        var noise = KernelNoise()
        for row in 0..<widest {
            kernels.quantize(k, noise.values(k), as: input, into: inputs.base + row * input.rowBytes(k))
        }
    }

    /// The outputs of a product with the inputs.
    private func product(
        _ kernel: WeightKernel, _ weights: UnsafeRawPointer, stride: Int, k: Int, rows: Int, width: Int
    ) -> [Float] {
        var result = [Float](repeating: 0, count: width * rows)
        result.withUnsafeMutableBufferPointer { result in
            guard let result = result.baseAddress else { return }
            multiply(kernel, weights, stride: stride, k: k, rows: rows, width: width, into: result)
        }
        return result
    }

    private func multiply(
        _ kernel: WeightKernel, _ weights: UnsafeRawPointer, stride: Int, k: Int, rows: Int, width: Int,
        into outputs: UnsafeMutablePointer<Float>
    ) {
        kernel.multiply(
            Product(
                k: k, rows: rows, weights: weights, weightStride: stride, columns: width,
                inputs: UnsafeRawPointer(inputs.base), inputStride: input.rowBytes(k), outputs: outputs,
                outputStride: rows))
    }
}
