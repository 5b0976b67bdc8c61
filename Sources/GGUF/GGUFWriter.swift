// Writing GGUF files.

public import InferSupport

/// Collects metadata and tensors, and writes them as a GGUF file.
///
/// ```swift
/// var writer = GGUFWriter()
/// writer.metadata["general.architecture"] = .string("llama")
/// try writer.addTensor("output_norm.weight", type: .f32, shape: [576], elements: weights)
/// try writer.write(to: "model.gguf")
/// ```
///
/// Tensors are written in sequence as their bytes arrive, so at most one must be in memory. The same input gives the same
/// bytes: format version 3, little-endian, entries in the order of addition, padding of zeros. A file that is read by
/// ``GGUFFile`` and written again is identical if it already had this layout and all its texts are UTF-8.
public struct GGUFWriter {
    /// Produces the bytes of a tensor by appending all of them to the sink.
    public typealias Body = (_ sink: inout TensorSink) throws(InferenceError) -> Void

    private struct Entry { let name: String, type: TensorType, shape: [Int], byteCount: Int, body: Body }

    /// The metadata, written in the order of its keys. `general.alignment`, a uint32 power of two, sets the alignment of
    /// tensor data in bytes; the default is 32.
    public var metadata: Metadata
    private var entries: [Entry] = []
    private var names: Set<String> = []

    /// The longest tensor name that every reader of the format accepts, in bytes.
    private static let maximumNameLength = 63

    /// A writer with this metadata and no tensors.
    public init(metadata: Metadata = Metadata()) { self.metadata = metadata }

    // MARK: Adding tensors

    /// Adds a tensor. `body` produces its bytes when the file is written.
    ///
    /// - Parameters:
    ///   - name: 1 to 63 bytes, different from all other names.
    ///   - type: How the elements are stored.
    ///   - shape: One to four extents, fastest-varying first: `[columns, rows, …]`. The first is a multiple of the type's
    ///     block size.
    ///   - body: Called once per ``write(to:)``.
    /// - Throws: ``InferenceError`` with `invalidArgument` for an invalid name or shape.
    public mutating func addTensor(
        _ name: String, type: TensorType, shape: [Int], writing body: @escaping Body
    ) throws(InferenceError) {
        func invalid(_ fault: String) -> InferenceError {
            InferenceError(.invalidArgument, "tensor \(name.printable) \(fault)")
        }
        guard (1...Self.maximumNameLength).contains(name.utf8.count) else {
            throw invalid("has a name of \(name.utf8.count) bytes, allowed are 1 to \(Self.maximumNameLength)")
        }
        let byteCount: Int
        do {
            byteCount = try type.byteCount(ofShape: shape)
        } catch {
            throw invalid(error.reason)
        }
        guard names.insert(name).inserted else { throw invalid("appears twice") }
        entries.append(Entry(name: name, type: type, shape: shape, byteCount: byteCount, body: body))
    }

    /// Adds a tensor with the bytes of `elements`.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` for an invalid name or shape. ``write(to:)`` throws it if the
    ///   number of bytes does not match.
    public mutating func addTensor(
        _ name: String, type: TensorType, shape: [Int], elements: [some BitwiseCopyable]
    ) throws(InferenceError) {
        try addTensor(name, type: type, shape: shape) { sink throws(InferenceError) in
            try sink.append(contentsOf: elements)
        }
    }

    /// Adds a tensor of another file, unchanged.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` if there already is a tensor with that name.
    public mutating func addTensor(_ tensor: TensorInfo, of file: GGUFFile) throws(InferenceError) {
        try addTensor(tensor.name, type: tensor.type, shape: tensor.shape) { sink throws(InferenceError) in
            try sink.append(file.bytes(of: tensor))
        }
    }

    // MARK: Writing

    /// Writes the file. The file gets the name `path` only when all of it is on the disk. It replaces an existing file, which
    /// stays unchanged if anything fails.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile`; with `invalidArgument` if a key, the alignment or the number of
    ///   bytes of a tensor is wrong; or any error of a ``Body``.
    public func write(to path: String) throws(InferenceError) {
        let alignment = try alignment()
        let header = try header(alignment: alignment)
        let file = try OutputFile(replacing: path)
        try file.append(header)
        // Pad before the first tensor and after every tensor, also the last: llama.cpp reads whole multiples.
        if !entries.isEmpty { try file.pad(to: alignment) }
        for entry in entries {
            var sink = TensorSink(file: file, name: entry.name, byteCount: entry.byteCount)
            try entry.body(&sink)
            try sink.finish()
            try file.pad(to: alignment)
        }
        try file.commit()
    }

    private func alignment() throws(InferenceError) -> Int {
        do {
            return try FilePart.alignment(metadata)
        } catch {
            throw InferenceError(.invalidArgument, error.message)
        }
    }

    /// All bytes before the tensor data, without the padding at the end.
    private func header(alignment: Int) throws(InferenceError) -> [UInt8] {
        var header: [UInt8] = Array("GGUF".utf8)
        header.appendLittleEndian(UInt32(3))
        header.appendLittleEndian(UInt64(entries.count))
        header.appendLittleEndian(UInt64(metadata.keys.count))
        for key in metadata.keys {
            guard (1...ByteReader.maximumKeyLength).contains(key.utf8.count) else {
                throw InferenceError(
                    .invalidArgument,
                    "metadata key \(key.printable) has \(key.utf8.count) bytes, allowed are 1 to 65535")
            }
            header.appendString(key)
            if let value = metadata[key] { header.append(value) }
        }
        var offset = 0
        for entry in entries {
            header.appendString(entry.name)
            header.appendLittleEndian(UInt32(entry.shape.count))
            for extent in entry.shape { header.appendLittleEndian(UInt64(extent)) }
            header.appendLittleEndian(entry.type.rawValue)
            header.appendLittleEndian(UInt64(offset))
            let padding = (alignment - entry.byteCount % alignment) % alignment
            let (end, overflow) = offset.addingReportingOverflow(entry.byteCount)
            let (next, paddingOverflow) = end.addingReportingOverflow(padding)
            guard !overflow, !paddingOverflow else {
                throw InferenceError(
                    .invalidArgument, "tensor \(entry.name.printable) ends beyond the largest possible file")
            }
            offset = next
        }
        return header
    }
}

extension [UInt8] {
    /// Appends the type and the bytes of `value`.
    fileprivate mutating func append(_ value: MetadataValue) {
        appendLittleEndian(value.type.rawValue)
        switch value {
        case .uint8(let value): appendLittleEndian(value)
        case .int8(let value): appendLittleEndian(value)
        case .uint16(let value): appendLittleEndian(value)
        case .int16(let value): appendLittleEndian(value)
        case .uint32(let value): appendLittleEndian(value)
        case .int32(let value): appendLittleEndian(value)
        case .uint64(let value): appendLittleEndian(value)
        case .int64(let value): appendLittleEndian(value)
        case .float32(let value): appendLittleEndian(value.bitPattern)
        case .float64(let value): appendLittleEndian(value.bitPattern)
        case .bool(let value): append(value ? 1 : 0)
        case .string(let value): appendString(value)
        case .array(let array):
            appendLittleEndian(array.elementType.rawValue)
            appendLittleEndian(UInt64(array.count))
            append(contentsOf: array.encoded)
        }
    }
}

/// Receives the bytes of one tensor and writes them to the file. They may arrive in any number of pieces.
public struct TensorSink {
    /// Number of bytes still missing.
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

    /// Appends bytes.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile`, or with `invalidArgument` if the tensor has fewer bytes.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) throws(InferenceError) {
        guard bytes.count <= remainingByteCount else {
            throw InferenceError(.invalidArgument, "tensor \(name.printable) has more than its \(byteCount) bytes")
        }
        try file.append(bytes)
        remainingByteCount -= bytes.count
    }

    /// Appends the bytes of `elements` as they are in memory. Elements are numbers, or structures with the layout of a block.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile`, or with `invalidArgument` if the tensor has fewer bytes.
    public mutating func append(contentsOf elements: [some BitwiseCopyable]) throws(InferenceError) {
        try elements.withUnsafeBufferPointer { bytes throws(InferenceError) in
            try append(UnsafeRawBufferPointer(bytes))
        }
    }

    /// Checks that no bytes are missing.
    func finish() throws(InferenceError) {
        guard remainingByteCount == 0 else {
            throw InferenceError(
                .invalidArgument,
                "tensor \(name.printable) got \(byteCount - remainingByteCount) of its \(byteCount) bytes")
        }
    }
}
