// Writing GGUF files.

public import InferSupport

/// What a GGUF file is to hold, and the way to disk.
///
/// ```swift
/// var writer = GGUFWriter()
/// writer.metadata["general.architecture"] = .string("llama")
/// try writer.addTensor("output_norm.weight", type: .f32, shape: [576], elements: weights)
/// try writer.write(to: "model.gguf")
/// ```
///
/// Tensors are written one after the other as their bytes arrive, so no more than one need be in memory. The same input
/// gives the same bytes: format version 3, little-endian, entries in the order they were added, gaps filled with zeros. A
/// file read by ``GGUFFile`` and written back with the same metadata and tensors comes out identical if it was laid out
/// that way to begin with and all its texts are UTF-8.
public struct GGUFWriter {
    /// Produces a tensor's bytes by appending them to the sink, as many in all as the tensor has.
    public typealias Body = (_ sink: inout TensorSink) throws(InferenceError) -> Void

    private struct Entry { let name: String, type: TensorType, shape: [Int], byteCount: Int, body: Body }

    /// The metadata, written in the order of its keys. `general.alignment`, a uint32 power of two, sets the alignment of the
    /// tensors' data; without it, it is 32.
    public var metadata: Metadata
    private var entries: [Entry] = []
    private var names: Set<String> = []

    /// The longest tensor name that every reader of the format accepts, in bytes.
    private static let maximumNameLength = 63

    /// A file with this metadata, and no tensors yet.
    public init(metadata: Metadata = Metadata()) { self.metadata = metadata }

    // MARK: Adding tensors

    /// Adds a tensor whose bytes `body` produces when the file is written.
    ///
    /// - Parameters:
    ///   - name: 1 to 63 bytes, unlike that of any other tensor.
    ///   - type: How the elements are stored.
    ///   - shape: Extents, fastest-varying first: `[columns, rows, …]`. One to four; the first is a multiple of the type's
    ///     block size.
    ///   - body: Called once per ``write(to:)``.
    /// - Throws: ``InferenceError`` with `invalidArgument` when name or shape cannot be.
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

    /// Adds a tensor whose bytes are those of `elements`.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` when name or shape cannot be, or the number of bytes does not fit
    ///   them.
    public mutating func addTensor(
        _ name: String, type: TensorType, shape: [Int], elements: [some BitwiseCopyable]
    ) throws(InferenceError) {
        try addTensor(name, type: type, shape: shape) { sink throws(InferenceError) in
            try sink.append(contentsOf: elements)
        }
    }

    /// Adds a tensor of another file as it is.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` when there is a tensor of that name already.
    public mutating func addTensor(_ tensor: TensorInfo, of file: GGUFFile) throws(InferenceError) {
        try addTensor(tensor.name, type: tensor.type, shape: tensor.shape) { sink throws(InferenceError) in
            try sink.append(file.bytes(of: tensor))
        }
    }

    // MARK: Writing

    /// Writes the file: first under another name in the same directory, then, once all of it is on the disk, renamed to
    /// `path`. A file that was there is replaced, and stays as it was if anything fails.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile`; with `invalidArgument` when a key, the alignment or the number of
    ///   bytes of a tensor is wrong; or what the source of a tensor throws.
    public func write(to path: String) throws(InferenceError) {
        let alignment = try alignment()
        let header = try header(alignment: alignment)
        let file = try OutputFile(replacing: path)
        try file.append(header)
        // Before the first tensor and after each, the last included: llama.cpp reads whole multiples.
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

    /// Everything before the first tensor's data, but for the padding at its end.
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
    /// Adds the type and the bytes of `value`.
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
