// Conversion of values, and of whole tensors of a file, to a tensor type.

package import InferGGUF
package import InferSupport

/// Converts rows of floats to a tensor type.
///
/// For quantised types, a search finds the block with the least weighted squared error. It does not know the
/// activations. The result depends only on the values.
package struct Quantizer: Sendable {
    /// The reason why values cannot be converted. The raw value completes a sentence that begins with the tensor's
    /// name.
    package enum Fault: String, Error {
        case notFinite = "contains NaN or infinity"
        case tooLarge = "contains values too large for the type"
    }

    /// The type of the result.
    package let type: TensorType
    private let writer: TensorFormat.Writer

    /// A quantiser to `type`; nil if the type is not supported or can only be read.
    package init?(_ type: TensorType) {
        guard let writer = TensorFormat(type)?.writer else { return nil }
        self.type = type
        self.writer = writer
    }

    /// Writes `count` values, which are whole blocks, to `elements`. `values` must be at a multiple of 64 bytes.
    ///
    /// - Returns: The reason why the values cannot be converted; nil if they were.
    package func quantize(
        _ count: Int, _ values: UnsafePointer<Float>, into elements: UnsafeMutableRawPointer
    ) -> Fault? {
        var largest: UInt32 = 0
        // The bit patterns of magnitudes have the order of the magnitudes; infinity and NaN come last.
        for i in 0..<count { largest = max(largest, values[i].bitPattern & 0x7fff_ffff) }
        guard largest < Float.infinity.bitPattern else { return .notFinite }
        guard largest <= writer.limit.bitPattern, writer.convert(count, values, elements) else { return .tooLarge }
        return nil
    }
}

/// Converts tensors piece by piece, on all processors. Memory does not grow with the size of a tensor, and the bytes do
/// not depend on the number of threads.
package final class TensorConverter {
    /// Elements that a thread converts at once: a multiple of every block size.
    private static let pieceLength = 1 << 14
    /// Pieces that a thread converts before the results are passed on.
    private static let piecesPerThread = 8

    private let pool: ThreadPool
    private let values: [AlignedMemory]

    /// A converter with `threads` threads; nil for one per processor.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` for an invalid number of threads, or `outOfMemory`.
    package init(threads: Int?) throws(InferenceError) {
        pool = try ThreadPool(threads: threads ?? ProcessorCount.usable)
        var values: [AlignedMemory] = []
        for _ in 0..<pool.threads {
            values.append(try AlignedMemory(bytes: 4, Self.pieceLength, for: "values to convert"))
        }
        self.values = values
    }

    /// Converts `tensor` of `file` to the type of `quantizer` and appends the bytes to `sink` in order. Rows must be
    /// whole blocks of that type. `progress` gets the number of elements converted so far and may stop the conversion
    /// by throwing.
    ///
    /// - Throws: ``InferenceError`` with `unsupportedTensorType` if the tensor's type is not supported,
    ///   `malformedModel` if its values
    ///   cannot be converted, or any error of `sink` or `progress`.
    package func convert(
        _ tensor: TensorInfo, of file: GGUFFile, with quantizer: Quantizer, to sink: inout TensorSink,
        progress: (Int) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        guard let format = TensorFormat(tensor.type), let source = file.bytes(of: tensor).baseAddress else {
            throw InferenceError(
                .unsupportedTensorType,
                "\(file.path): tensor \(tensor.name.printable) is \(tensor.type), which cannot be converted")
        }
        let type = quantizer.type
        let total = tensor.elementCount
        let batchLength = Self.pieceLength * Self.piecesPerThread * pool.threads
        let results = try AlignedMemory(
            bytes: batchLength / type.blockSize, type.blockBytes, for: "converted values")
        for start in stride(from: 0, to: total, by: batchLength) {
            let count = min(batchLength, total - start)
            let pieces = (count + Self.pieceLength - 1) / Self.pieceLength
            let fault = withFaults(pieces) { faults in
                pool.run(pieces) { piece, thread in
                    let offset = piece * Self.pieceLength
                    let length = min(Self.pieceLength, count - offset)
                    let values = self.values[thread].floats
                    format.dequantize(
                        length, source + (start + offset) / format.blockSize * format.blockBytes, into: values)
                    faults[piece] = quantizer.quantize(
                        length, values, into: results.base + offset / type.blockSize * type.blockBytes)
                }
            }
            if let fault {
                throw InferenceError(
                    .malformedModel,
                    "\(file.path): tensor \(tensor.name.printable) cannot become \(type): it \(fault.rawValue)")
            }
            try sink.append(
                UnsafeRawBufferPointer(start: results.base, count: count / type.blockSize * type.blockBytes))
            try progress(start + count)
        }
    }

    /// Calls `body` with memory for the faults of `count` pieces; returns the first fault.
    private func withFaults(
        _ count: Int, _ body: (UnsafeMutablePointer<Quantizer.Fault?>) -> Void
    ) -> Quantizer.Fault? {
        withUnsafeTemporaryAllocation(of: Quantizer.Fault?.self, capacity: count) { faults in
            faults.initialize(repeating: nil)
            guard let base = faults.baseAddress else { return nil }
            body(base)
            return faults.lazy.compactMap { $0 }.first
        }
    }
}
