// Parsing the metadata section of a GGUF file.

import InferSupport

extension ByteReader {
    /// The longest key the format allows, in bytes.
    static let maximumKeyLength = 65_535
    /// How deep arrays may lie in arrays. No known model nests them at all; the bound is for the stack.
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
        // A string is at least its length, an array its type and length: the work is bounded by the file's size.
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
