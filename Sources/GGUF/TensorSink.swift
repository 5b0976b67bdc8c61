// Where the source of a tensor puts its bytes.

public import InferSupport

/// Takes the bytes of one tensor on their way to a file, in as many pieces as is convenient.
public struct TensorSink {
    /// Bytes that are still to come.
    public private(set) var remainingByteCount: Int
    private let file: OutputFile
    private let name: String
    private let byteCount: Int

    init(file: OutputFile, name: String, byteCount: Int) {
        self.file = file
        self.name = name
        self.byteCount = byteCount
        remainingByteCount = byteCount
    }

    /// Adds bytes as they are.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile`, or `invalidArgument` when the tensor has no room for them.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) throws(InferenceError) {
        guard bytes.count <= remainingByteCount else {
            throw InferenceError(.invalidArgument, "tensor \(name.printable) has more than its \(byteCount) bytes")
        }
        try file.append(bytes)
        remainingByteCount -= bytes.count
    }

    /// Adds the bytes of `elements` as they are in memory: numbers, or structures of a block's layout.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile`, or `invalidArgument` when the tensor has no room for them.
    public mutating func append(contentsOf elements: [some BitwiseCopyable]) throws(InferenceError) {
        try elements.withUnsafeBufferPointer { bytes throws(InferenceError) in
            try append(UnsafeRawBufferPointer(bytes))
        }
    }

    /// Checks that all bytes have come.
    func finish() throws(InferenceError) {
        guard remainingByteCount == 0 else {
            throw InferenceError(
                .invalidArgument,
                "tensor \(name.printable) got \(byteCount - remainingByteCount) of its \(byteCount) bytes")
        }
    }
}
