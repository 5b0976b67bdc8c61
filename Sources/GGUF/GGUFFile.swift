// A GGUF model opened for reading: one file, or all files of a split model.

public import InferSupport

/// An opened model: its metadata and its tensor directory. The tensor data stays in the mapped file.
///
/// Format: versions 2 and 3, little-endian (ggml, `docs/gguf.md`). The initializer checks every claim of the directory
/// against the file's size. After that, no accessor can fail or read outside the mapping.
public final class GGUFFile: Sendable {
    /// The path passed to ``init(path:)``.
    public let path: String
    /// The format version; of a split model, the first file's.
    public let version: Int
    /// The model's metadata; of a split model, the first file's.
    public let metadata: Metadata
    /// All tensors, in file order.
    public let tensors: [TensorInfo]
    /// Size of the file, or of all files of a split model, in bytes.
    public let byteCount: Int

    private let indices: [String: Int]
    private let parts: [MappedFile]

    /// Opens the model at `path`. For a split model, `path` names the first file (`NAME-00001-of-0000N.gguf`); the other
    /// files must be in the same folder.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile`; with `malformedModel`; or with `unsupportedModel` for an
    ///   unsupported format version or byte order. The message names the key or tensor and the offset.
    public convenience init(path: String) throws(InferenceError) {
        try self.init(MappedFile(path: path))
    }

    /// Opens the model whose first or only file is `file`.
    package init(_ file: MappedFile) throws(InferenceError) {
        let path = file.path
        let first = try FilePart(file, part: 0)
        var parts = [first]
        for (index, path) in try SplitName.otherParts(of: path, metadata: first.metadata).enumerated() {
            parts.append(try FilePart(MappedFile(path: path), part: index + 1))
        }
        var tensors: [TensorInfo] = []
        var indices: [String: Int] = [:]
        for part in parts {
            for tensor in part.tensors {
                guard indices.updateValue(tensors.count, forKey: tensor.name) == nil else {
                    throw InferenceError(
                        .malformedModel,
                        "\(part.file.path): tensor \(tensor.name.printable) appears twice (at byte \(tensor.entryOffset))"
                    )
                }
                tensors.append(tensor)
            }
        }
        try SplitName.check(parts: parts, tensorCount: tensors.count)
        self.path = path
        self.version = first.version
        self.metadata = first.metadata
        self.tensors = tensors
        self.indices = indices
        self.parts = parts.map(\.file)
        self.byteCount = parts.reduce(0) { $0 + $1.file.bytes.count }
    }

    /// The path of each file, in order.
    package var paths: [String] { parts.map(\.path) }

    /// The tensor called `name`; nil when there is none.
    public func tensor(_ name: String) -> TensorInfo? { indices[name].map { tensors[$0] } }

    /// The tensor's bytes in the mapped file. They are valid as long as this object lives.
    package func bytes(of tensor: TensorInfo) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: parts[tensor.part].bytes[tensor.offset..<tensor.offset + tensor.byteCount])
    }

    /// A hash of what a forward pass depends on: the architecture's hyper-parameters, and of every tensor name, type, shape, and the
    /// first and last bytes. It tells models apart without reading all of their weights.
    package var fingerprint: UInt64 {
        var description: [UInt8] = []
        if case .string(let architecture) = metadata["general.architecture"] {
            for key in metadata.keys where key.hasPrefix(architecture + ".") {
                description.appendString(key)
                switch metadata[key] {
                case .array(let array): description += array.encoded
                case .some(let value): description.appendString("\(value)")
                case nil: break
                }
            }
        }
        for tensor in tensors {
            description.appendString(tensor.name)
            description.appendString("\(tensor.type) \(tensor.shape)")
            // As slices: a sum of a prefix and a suffix would take them as sequences, and read all bytes.
            let bytes = bytes(of: tensor)
            description += bytes[..<min(64, bytes.count)]
            description += bytes[max(0, bytes.count - 64)...]
        }
        return XXHash64.hash(description)
    }

    /// Tells the system that it may release the memory of all bytes. A later read loads them from the file again.
    package func discard() {
        for part in parts { part.discard(0..<part.bytes.count) }
    }

    /// Tells the system that it may release the memory of the tensor's bytes. A later read loads them from the file again.
    package func discard(_ tensor: TensorInfo) {
        parts[tensor.part].discard(tensor.offset..<tensor.offset + tensor.byteCount)
    }
}

/// An entry of the tensor directory: name, type, shape and place of one tensor.
public struct TensorInfo: Sendable {
    /// The tensor's name, such as `blk.0.attn_q.weight`.
    public let name: String
    /// How the elements are stored.
    public let type: TensorType
    /// One to four extents, fastest-varying first, as in the file: `[columns, rows, …]`. An extent of 0 makes a tensor
    /// without elements. A file may contain one, but no model can use it.
    public let shape: [Int]
    /// Size in bytes.
    public let byteCount: Int
    /// Index of the file of a split model that holds the data.
    let part: Int
    /// Offset of the data from the start of that file, in bytes.
    let offset: Int
    /// Offset of the directory entry from the start of that file, in bytes. Messages quote it.
    package let entryOffset: Int

    /// Elements of one row. Blocks run along rows.
    public var columns: Int { shape[0] }
    /// Number of rows: the product of all other extents.
    public var rows: Int { shape.dropFirst().reduce(1, *) }
    /// Number of elements.
    public var elementCount: Int { columns * rows }
    /// Bytes of one row.
    public var rowBytes: Int { columns / type.blockSize * type.blockBytes }
}

// MARK: One file

/// The parsed and checked contents of one GGUF file.
struct FilePart {
    let file: MappedFile
    let version: Int
    let metadata: Metadata
    let tensors: [TensorInfo]

    /// Alignment of the data section and of every tensor in it, in bytes, when the file has no `general.alignment`.
    static let defaultAlignment = 32
    /// Powers of two in this range are accepted as alignment. Real files use 32; the format requires a multiple of 8.
    private static let alignments = 8...(1 << 16)

    /// Parses the file. `part` is its index, from 0, among the files of the model.
    init(_ file: MappedFile, part: Int) throws(InferenceError) {
        self.file = file
        var reader = ByteReader(file)
        guard file.bytes.count >= 4, try reader.read(UInt32.self, "the magic number") == 0x4655_4747 else {  // "GGUF"
            throw InferenceError(
                .malformedModel, "\(file.path) is not a GGUF file: it does not begin with \"GGUF\" (at byte 0)")
        }
        let version = try reader.read(UInt32.self, "the format version")
        guard version == 2 || version == 3 else {
            let isBigEndian = version.byteSwapped == 2 || version.byteSwapped == 3
            throw InferenceError(
                .unsupportedModel,
                "\(file.path): \(isBigEndian ? "big-endian files are" : "GGUF version \(version) is") not supported "
                    + "(at byte 4)")
        }
        self.version = Int(version)
        let tensorCount = try reader.read(UInt64.self, "the tensor count")
        let keyCount = try reader.read(UInt64.self, "the metadata count")
        // A metadata entry takes at least 14 bytes, a directory entry at least 33. This bounds the loops below.
        guard keyCount <= UInt64(reader.remaining / 14), tensorCount <= UInt64(reader.remaining / 33) else {
            throw reader.malformed(
                "the header claims \(keyCount) metadata entries and \(tensorCount) tensors, more than the file can hold",
                at: 8)
        }
        metadata = try reader.readMetadata(count: Int(keyCount))
        let alignment = try Self.alignment(metadata)
        var entries: [ByteReader.TensorEntry] = []
        for index in 0..<Int(tensorCount) { entries.append(try reader.readTensor(index)) }
        let dataStart = (reader.offset + alignment - 1) / alignment * alignment
        var tensors: [TensorInfo] = []
        tensors.reserveCapacity(entries.count)
        for entry in entries {
            tensors.append(try Self.place(entry, dataStart: dataStart, alignment: alignment, part: part, reader))
        }
        try Self.checkOverlap(tensors, reader)
        self.tensors = tensors
    }

    /// The alignment from `general.alignment`, or the default. It is a power of two.
    static func alignment(_ metadata: Metadata) throws(InferenceError) -> Int {
        let key = "general.alignment"
        guard let value = metadata[key] else { return defaultAlignment }
        guard case .uint32(let alignment) = value, alignment.nonzeroBitCount == 1,
            alignments.contains(Int(alignment))
        else {
            throw metadata.malformed(
                key, "must be a uint32 power of two from \(alignments.lowerBound) to \(alignments.upperBound)")
        }
        return Int(alignment)
    }

    /// Checks the offset of `entry` and computes the place of the data in the file.
    private static func place(
        _ entry: ByteReader.TensorEntry, dataStart: Int, alignment: Int, part: Int, _ reader: ByteReader
    ) throws(InferenceError) -> TensorInfo {
        let name = entry.name.printable
        guard entry.dataOffset % UInt64(alignment) == 0 else {
            throw reader.malformed(
                "tensor \(name) has offset \(entry.dataOffset), no multiple of \(alignment)", at: entry.position)
        }
        let size = reader.file.bytes.count
        guard let relative = Int(exactly: entry.dataOffset), dataStart <= size, relative <= size - dataStart,
            entry.byteCount <= size - dataStart - relative
        else {
            throw reader.malformed(
                "tensor \(name) (offset \(entry.dataOffset), \(entry.byteCount) bytes) lies beyond the end of the file, "
                    + "data starts at \(dataStart) of \(size)", at: entry.position)
        }
        return TensorInfo(
            name: entry.name, type: entry.type, shape: entry.shape, byteCount: entry.byteCount, part: part,
            offset: dataStart + relative, entryOffset: entry.position)
    }

    private static func checkOverlap(_ tensors: [TensorInfo], _ reader: ByteReader) throws(InferenceError) {
        // A tensor without elements has the same offset as the next one.
        let sorted = tensors.filter { $0.byteCount > 0 }.sorted { $0.offset < $1.offset }
        for (lower, upper) in zip(sorted, sorted.dropFirst()) where lower.offset + lower.byteCount > upper.offset {
            throw reader.malformed(
                "tensors \(lower.name.printable) and \(upper.name.printable) overlap", at: upper.offset)
        }
    }
}

// MARK: Split models

/// The file names of split models, `NAME-00001-of-0000N.gguf`, and the `split.` keys of their metadata.
enum SplitName {
    /// No real model has more parts. The limit bounds the work that a hostile count can cause.
    private static let maximumParts = 9_999

    /// The paths of parts 2…N of the model whose first file is at `path`; empty for a model in one file.
    static func otherParts(of path: String, metadata: Metadata) throws(InferenceError) -> [String] {
        guard let count = try metadata.integer("split.count") else { return [] }
        guard (0...maximumParts).contains(count) else {
            throw metadata.malformed("split.count", "is \(count), out of range")
        }
        // Tools that merge the parts of a split model write a count of 0.
        guard count > 1 else { return [] }
        let number = try metadata.integer("split.no") ?? 0
        let suffix = ending(1, of: count)
        guard number == 0 else {
            guard (1..<count).contains(number) else {
                throw metadata.malformed("split.no", "is \(number), out of range for a model of \(count) parts")
            }
            let own = ending(number + 1, of: count)
            let first = path.hasSuffix(own) ? path.dropLast(own.count) + suffix : "the one whose name ends in \(suffix)"
            throw InferenceError(
                .unreadableFile,
                "\(path) is part \(number + 1) of \(count) of a split model; open its first part instead, \(first)")
        }
        // Only the name leads to the other parts. Guessing their names could join parts of different models.
        guard path.hasSuffix(suffix) else {
            throw InferenceError(
                .unreadableFile,
                "\(path) is part 1 of \(count) of a split model, whose others are found by its name: rename it to "
                    + "NAME\(suffix), beside NAME\(ending(2, of: count)) and so on")
        }
        let stem = path.dropLast(suffix.count)
        return (2...count).map { stem + ending($0, of: count) }
    }

    /// Checks the index and count in each part, and the total number of tensors that the first part announces.
    static func check(parts: [FilePart], tensorCount: Int) throws(InferenceError) {
        guard parts.count > 1 else { return }
        for (index, part) in parts.enumerated() {
            try expect("split.no", is: index, in: part)
            try expect("split.count", is: parts.count, in: part)
        }
        if let announced = try parts[0].metadata.integer("split.tensors.count"), announced != tensorCount {
            throw parts[0].metadata.malformed(
                "split.tensors.count", "is \(announced), the parts hold \(tensorCount) tensors")
        }
    }

    private static func expect(_ key: String, is expected: Int, in part: FilePart) throws(InferenceError) {
        guard let value = try part.metadata.integer(key) else {
            throw InferenceError(
                .malformedModel, "\(part.file.path): metadata key \(key) is missing, expected \(expected)")
        }
        guard value == expected else { throw part.metadata.malformed(key, "is \(value), expected \(expected)") }
    }

    private static func ending(_ number: Int, of count: Int) -> String {
        "-\(padded(number))-of-\(padded(count)).gguf"
    }

    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
}
