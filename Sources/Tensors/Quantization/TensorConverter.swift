// Converting a tensor of a file to another type, on all processors.

package import InferGGUF
package import InferSupport

/// Converts tensors piece by piece: memory stays bounded whatever their size, and the bytes do not depend on the number
/// of threads.
package final class TensorConverter {
    /// Elements a thread converts at once: a multiple of every block size.
    private static let pieceLength = 1 << 14
    /// Pieces a thread converts before the results are handed on.
    private static let piecesPerThread = 8

    private let pool: ThreadPool
    private let values: [AlignedMemory]

    /// A converter that works with `threads` threads; nil: one per processor.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` for a number of threads that cannot be, or `outOfMemory`.
    package init(threads: Int?) throws(InferenceError) {
        pool = try ThreadPool(threads: threads ?? ProcessorCount.usable)
        var values: [AlignedMemory] = []
        for _ in 0..<pool.threads {
            values.append(try AlignedMemory(bytes: 4, Self.pieceLength, for: "values to convert"))
        }
        self.values = values
    }

    /// Converts `tensor` of `file` to the type of `quantizer` and hands the bytes to `sink` in order; its rows must be
    /// whole blocks of that type. `progress` is told the number of elements converted so far, and may end it by
    /// throwing.
    ///
    /// - Throws: ``InferenceError`` with `unsupportedTensorType` when the tensor's type cannot be read, `malformedModel`
    ///   when its values cannot be written as that type, or what `sink` or `progress` throws.
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

    /// The first fault of `count` pieces, of which `body` writes those it finds.
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
