// An array in a GGUF file's metadata, decoded only when asked for.

import InferSupport

/// An array of metadata values of one type. Vocabularies hold hundreds of thousands of entries, so the elements stay in the
/// file, checked once when it was opened, until one of the accessors copies them out.
public struct MetadataArray: Sendable {
    /// The type of every element. Of arrays of arrays there is no more than this and their number: no accessor copies
    /// them out.
    public let elementType: MetadataType
    /// How many elements there are.
    public let count: Int
    /// Keeps the bytes in place.
    private let file: MappedFile
    private let range: Range<Int>

    /// The elements at `range` of `file`, already known to lie within it.
    init(elementType: MetadataType, count: Int, file: MappedFile, range: Range<Int>) {
        self.elementType = elementType
        self.count = count
        self.file = file
        self.range = range
    }

    private func load<T: BitwiseCopyable>(_ type: T.Type) -> [T] {
        [T](unsafeUninitializedCapacity: count) { elements, initializedCount in
            UnsafeMutableRawBufferPointer(elements).copyMemory(from: UnsafeRawBufferPointer(rebasing: encoded))
            initializedCount = count
        }
    }

    /// The elements as integers; nil when they are of another kind or one does not fit.
    public var integers: [Int]? {
        switch elementType {
        case .uint8: return load(UInt8.self).map(Int.init)
        case .int8: return load(Int8.self).map(Int.init)
        case .uint16: return load(UInt16.self).map(Int.init)
        case .int16: return load(Int16.self).map(Int.init)
        case .uint32: return load(UInt32.self).map(Int.init)
        case .int32: return load(Int32.self).map(Int.init)
        case .int64: return load(Int64.self).map(Int.init)
        case .uint64:
            let values = load(UInt64.self)
            return values.allSatisfy { $0 <= Int.max } ? values.map(Int.init) : nil
        case .float32, .float64, .bool, .string, .array: return nil
        }
    }

    /// The elements as floats; nil when they are of another kind.
    public var floats: [Float]? {
        switch elementType {
        case .float32: load(Float.self)
        case .float64: load(Double.self).map(Float.init)
        default: nil
        }
    }

    /// The elements as truth values; nil when they are of another kind.
    public var bools: [Bool]? {
        elementType == .bool ? load(UInt8.self).map { $0 != 0 } : nil
    }

    /// The elements as strings of bytes; nil when they are of another kind.
    public var strings: PackedStrings? {
        guard elementType == .string else { return nil }
        var strings = PackedStrings()
        strings.reserveCapacity(count, bytes: range.count - 8 * count)
        let bytes = file.bytes
        var offset = range.lowerBound
        for _ in 0..<count {
            let length = Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
            strings.append(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length]))
            offset += length
        }
        return strings
    }

    /// The elements' bytes as the file has them, strings with their lengths; valid as long as the array lives.
    package var encoded: UnsafeRawBufferPointer.SubSequence { file.bytes[range] }
}
