// A GGUF model file, or the set of files a split model consists of, opened for reading.

public import InferSupport

/// An opened model: its metadata, and where its tensors lie. The data stays in the mapped file.
///
/// Format: versions 2 and 3, little-endian (ggml, `docs/gguf.md`). Everything the directory claims is checked against the
/// file's real size when it is opened; after that no accessor can fail or read outside the mapping.
public final class GGUFFile: Sendable {
    /// The path the model was opened by.
    public let path: String
    /// The format version of the (first) file.
    public let version: Int
    /// The model's metadata; of a split model, the first file's.
    public let metadata: Metadata
    /// All tensors, in the order of the file or files.
    public let tensors: [TensorInfo]
    /// Size of the file, or of all files of a split model, in bytes.
    public let byteCount: Int

    private let indices: [String: Int]
    private let parts: [MappedFile]

    /// Opens the model at `path`. Of a split model, `path` names the first file (`NAME-00001-of-0000N.gguf`); the others are
    /// found beside it.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile`, `malformedModel` or, for a format version or byte order that is
    ///   not read, `unsupportedModel`; the message names the key or tensor and the offset.
    public convenience init(path: String) throws(InferenceError) {
        try self.init(MappedFile(path: path))
    }

    /// Opens the model whose (first) file is `file`.
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

    /// The file, or all files of a split model, in order.
    package var paths: [String] { parts.map(\.path) }

    /// The tensor of that name.
    public func tensor(_ name: String) -> TensorInfo? { indices[name].map { tensors[$0] } }

    /// The tensor's bytes, in the mapped file: valid as long as this object lives.
    package func bytes(of tensor: TensorInfo) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: parts[tensor.part].bytes[tensor.offset..<tensor.offset + tensor.byteCount])
    }

    /// Lets the system take back the memory behind all bytes until they are read again.
    package func discard() {
        for part in parts { part.discard(0..<part.bytes.count) }
    }

    /// Lets the system take back the memory behind a tensor's bytes until they are read again.
    package func discard(_ tensor: TensorInfo) {
        parts[tensor.part].discard(tensor.offset..<tensor.offset + tensor.byteCount)
    }
}
