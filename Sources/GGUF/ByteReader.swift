// Parsing the bytes of a GGUF file: a bounds-checked cursor, the metadata section, the tensor directory.

import InferSupport

/// A cursor that never reads past the end of its file. It reads little-endian values in sequence and throws
/// ``InferenceError/Code-swift.struct/malformedModel`` when the bytes run out. Every message names the item being read, the
/// file and the offset.
struct ByteReader {
    let file: MappedFile
    private(set) var offset = 0

    init(_ file: MappedFile) { self.file = file }

    private var bytes: UnsafeRawBufferPointer { file.bytes }

    var remaining: Int { bytes.count - offset }

    /// An error about the item at `position`; by default, about the item at the cursor.
    func malformed(_ what: String, at position: Int? = nil) -> InferenceError {
        InferenceError(.malformedModel, "\(file.path): \(what) (at byte \(position ?? offset))")
    }

    /// Moves past `count` bytes and returns the offset of the first.
    @discardableResult
    mutating func skip(_ count: Int, _ what: @autoclosure () -> String) throws(InferenceError) -> Int {
        guard count >= 0, count <= remaining else {
            throw malformed("\(what()) needs \(count) bytes, the file has \(remaining) left")
        }
        defer { offset += count }
        return offset
    }

    mutating func read<T: BitwiseCopyable>(
        _ type: T.Type, _ what: @autoclosure () -> String
    ) throws(InferenceError) -> T {
        let start = try skip(MemoryLayout<T>.size, what())
        return bytes.loadUnaligned(fromByteOffset: start, as: type)
    }

    /// Reads a 64-bit length, moves past that many bytes and returns their range.
    mutating func readString(_ what: @autoclosure () -> String) throws(InferenceError) -> Range<Int> {
        let position = offset
        let length = try read(UInt64.self, "the length of \(what())")
        guard let count = Int(exactly: length), count <= remaining else {
            throw malformed("\(what()) claims \(length) bytes, the file has \(remaining) left", at: position)
        }
        let start = try skip(count, what())
        return start..<start + count
    }

    /// Moves past `count` strings, the elements of `what`.
    mutating func skipStrings(_ count: Int, _ what: @autoclosure () -> String) throws(InferenceError) {
        for index in 0..<count {
            // Vocabularies are long. Only a string that does not fit takes the slow path, which builds the message.
            if remaining >= 8, case let length = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
                length <= UInt64(remaining - 8)
            {
                offset += 8 + Int(length)
            } else {
                _ = try readString("element \(index) of \(what())")
            }
        }
    }

    /// The bytes at `range` as text; invalid UTF-8 becomes U+FFFD.
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}

// MARK: Metadata

extension ByteReader {
    /// The longest key the format allows, in bytes.
    static let maximumKeyLength = 65_535
    /// The deepest accepted nesting of arrays. No known model nests them; the limit protects the stack.
    private static let maximumArrayDepth = 16

    /// Reads `count` key–value pairs.
    mutating func readMetadata(count: Int) throws(InferenceError) -> Metadata {
        var metadata = Metadata(path: file.path)
        for index in 0..<count {
            let start = offset
            let keyRange = try readString("the key of metadata entry \(index)")
            guard !keyRange.isEmpty, keyRange.count <= Self.maximumKeyLength else {
                throw malformed("metadata entry \(index) has a key of \(keyRange.count) bytes", at: start)
            }
            let key = text(keyRange)
            guard metadata[key] == nil else {
                throw malformed("metadata key \(key.printable) appears twice", at: start)
            }
            metadata.append(try readValue(key), forKey: key, offset: start)
        }
        return metadata
    }

    private mutating func readType(_ key: String) throws(InferenceError) -> MetadataType {
        let start = offset
        let raw = try read(UInt32.self, "the type of metadata key \(key.printable)")
        guard let type = MetadataType(rawValue: raw) else {
            throw malformed("metadata key \(key.printable) has unknown type \(raw)", at: start)
        }
        return type
    }

    private mutating func readValue(_ key: String) throws(InferenceError) -> MetadataValue {
        switch try readType(key) {
        case .uint8: .uint8(try readScalar(key))
        case .int8: .int8(try readScalar(key))
        case .uint16: .uint16(try readScalar(key))
        case .int16: .int16(try readScalar(key))
        case .uint32: .uint32(try readScalar(key))
        case .int32: .int32(try readScalar(key))
        case .uint64: .uint64(try readScalar(key))
        case .int64: .int64(try readScalar(key))
        case .float32: .float32(try readScalar(key))
        case .float64: .float64(try readScalar(key))
        case .bool: .bool(try readScalar(key) as UInt8 != 0)
        case .string: .string(text(try readString("the value of metadata key \(key.printable)")))
        case .array: .array(try readArray(key))
        }
    }

    private mutating func readScalar<T: BitwiseCopyable>(_ key: String) throws(InferenceError) -> T {
        try read(T.self, "the value of metadata key \(key.printable)")
    }

    private mutating func readArray(_ key: String, depth: Int = 1) throws(InferenceError) -> MetadataArray {
        let position = offset
        guard depth <= Self.maximumArrayDepth else {
            throw malformed(
                "metadata key \(key.printable) has arrays of arrays more than \(Self.maximumArrayDepth) deep",
                at: position)
        }
        let type = try readType(key)
        let claimed = try read(UInt64.self, "the length of metadata array \(key.printable)")
        // A string takes at least 8 bytes (its length), a nested array at least 12 (its type and length), so the file's
        // size bounds the work.
        guard claimed <= UInt64(remaining / (type.fixedSize ?? (type == .array ? 12 : 8))) else {
            throw malformed(
                "metadata array \(key.printable) claims \(claimed) elements, the file has \(remaining) bytes left",
                at: position)
        }
        let start = offset
        let count = Int(claimed)
        if let size = type.fixedSize {
            try skip(count * size, "metadata array \(key.printable)")
        } else if type == .array {
            for _ in 0..<count { _ = try readArray(key, depth: depth + 1) }
        } else {
            try skipStrings(count, "metadata array \(key.printable)")
        }
        return MetadataArray(elementType: type, count: count, file: file, range: start..<offset)
    }
}

// MARK: Tensor directory

extension ByteReader {
    /// A directory entry as stored in the file.
    struct TensorEntry {
        let name: String, type: TensorType, shape: [Int], byteCount: Int
        /// Offset of the data from the start of the data section, in bytes.
        let dataOffset: UInt64
        /// Offset of the entry itself from the start of the file, in bytes.
        let position: Int
    }

    /// Some real files have names longer than the format's 64 bytes. The limit bounds the memory that a hostile file can use.
    private static let maximumNameLength = 1024

    /// Reads a directory entry. `index` is its number from 0, for messages.
    mutating func readTensor(_ index: Int) throws(InferenceError) -> TensorEntry {
        let position = offset
        let nameRange = try readString("the name of tensor \(index)")
        guard !nameRange.isEmpty, nameRange.count <= Self.maximumNameLength else {
            throw malformed("tensor \(index) has a name of \(nameRange.count) bytes", at: position)
        }
        let name = text(nameRange)
        let shapePosition = offset
        let dimensions = try read(UInt32.self, "the dimension count of tensor \(name.printable)")
        guard (1...4).contains(dimensions) else {
            throw malformed("tensor \(name.printable) has \(dimensions) dimensions", at: shapePosition)
        }
        var shape: [Int] = []
        for _ in 0..<dimensions {
            let extent = try read(UInt64.self, "the shape of tensor \(name.printable)")
            guard let extent = Int(exactly: extent) else {
                throw malformed("tensor \(name.printable) has a dimension of \(extent)", at: shapePosition)
            }
            shape.append(extent)
        }
        let type = TensorType(rawValue: try read(UInt32.self, "the type of tensor \(name.printable)"))
        let byteCount: Int
        do {
            byteCount = try type.byteCount(ofShape: shape)
        } catch {
            throw malformed("tensor \(name.printable) \(error.reason)", at: shapePosition)
        }
        let dataOffset = try read(UInt64.self, "the offset of tensor \(name.printable)")
        return TensorEntry(
            name: name, type: type, shape: shape, byteCount: byteCount, dataOffset: dataOffset, position: position)
    }
}
