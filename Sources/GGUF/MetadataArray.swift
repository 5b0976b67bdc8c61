// An array in GGUF metadata, which is decoded only on demand.

import InferSupport

/// An array of metadata values of one type. Vocabularies have hundreds of thousands of entries, so the elements stay in the
/// mapped file until an accessor copies them. They are checked once, when the file is opened.
public struct MetadataArray: Sendable {
    /// The type of every element. For arrays of arrays only the type and the count are available; no accessor copies the
    /// elements.
    public let elementType: MetadataType
    /// The number of elements.
    public let count: Int
    /// Keeps the bytes alive.
    private let file: MappedFile
    private let range: Range<Int>

    /// The elements in `range` of `file`. The caller has checked the range.
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

    /// The elements as integers; nil if they have another type or one does not fit into `Int`.
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

    /// The elements as unsigned integers; nil if they have another type or one is negative.
    public var unsignedIntegers: [UInt64]? {
        if elementType == .uint64 { return load(UInt64.self) }
        guard let integers, integers.allSatisfy({ $0 >= 0 }) else { return nil }
        return integers.map(UInt64.init)
    }

    /// The elements as floats; nil if they have another type.
    public var floats: [Float]? {
        switch elementType {
        case .float32: load(Float.self)
        case .float64: load(Double.self).map(Float.init)
        default: nil
        }
    }

    /// The elements as Booleans; nil if they have another type.
    public var bools: [Bool]? {
        elementType == .bool ? load(UInt8.self).map { $0 != 0 } : nil
    }

    /// The elements as byte strings; nil if they have another type.
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

    /// The bytes of the elements as stored in a file, strings with their lengths. They are valid as long as the array lives.
    package var encoded: UnsafeRawBufferPointer.SubSequence { file.bytes[range] }
}

extension MetadataArray: Equatable {
    /// Whether both have the same element type, count and bytes.
    public static func == (left: MetadataArray, right: MetadataArray) -> Bool {
        left.elementType == right.elementType && left.count == right.count && left.encoded.elementsEqual(right.encoded)
    }
}

extension MetadataArray {
    /// An array of bytes.
    public init(_ elements: [UInt8]) { self.init(copying: elements, as: .uint8) }
    /// An array of signed bytes.
    public init(_ elements: [Int8]) { self.init(copying: elements, as: .int8) }
    /// An array of 16-bit unsigned integers.
    public init(_ elements: [UInt16]) { self.init(copying: elements, as: .uint16) }
    /// An array of 16-bit integers.
    public init(_ elements: [Int16]) { self.init(copying: elements, as: .int16) }
    /// An array of 32-bit unsigned integers.
    public init(_ elements: [UInt32]) { self.init(copying: elements, as: .uint32) }
    /// An array of 32-bit integers.
    public init(_ elements: [Int32]) { self.init(copying: elements, as: .int32) }
    /// An array of 64-bit unsigned integers.
    public init(_ elements: [UInt64]) { self.init(copying: elements, as: .uint64) }
    /// An array of 64-bit integers.
    public init(_ elements: [Int64]) { self.init(copying: elements, as: .int64) }
    /// An array of single-precision floats.
    public init(_ elements: [Float]) { self.init(copying: elements, as: .float32) }
    /// An array of double-precision floats.
    public init(_ elements: [Double]) { self.init(copying: elements, as: .float64) }
    /// An array of Booleans.
    public init(_ elements: [Bool]) { self.init(copying: elements.map { UInt8($0 ? 1 : 0) }, as: .bool) }
    /// An array of strings.
    public init(_ elements: [String]) { self.init(strings: elements.lazy.map(\.utf8)) }
    /// An array of byte strings, such as a vocabulary read from another file.
    public init(_ elements: PackedStrings) { self.init(strings: elements) }

    private init(strings: some Collection<some Sequence<UInt8>>) {
        var bytes: [UInt8] = []
        for string in strings {
            let start = bytes.count
            bytes.appendLittleEndian(UInt64(0))
            bytes.append(contentsOf: string)
            let length = UInt64(bytes.count - start - 8)
            bytes.withUnsafeMutableBytes { $0.storeBytes(of: length, toByteOffset: start, as: UInt64.self) }
        }
        self.init(bytes: bytes, count: strings.count, as: .string)
    }

    private init(copying elements: [some BitwiseCopyable], as type: MetadataType) {
        self.init(bytes: elements.withUnsafeBytes { Array($0) }, count: elements.count, as: type)
    }

    private init(bytes: [UInt8], count: Int, as type: MetadataType) {
        let file = MappedFile(contents: bytes, path: "memory")
        self.init(elementType: type, count: count, file: file, range: 0..<bytes.count)
    }
}

/// A list of byte strings in one allocation. It holds the texts and merges of a vocabulary.
public struct PackedStrings: Sendable, RandomAccessCollection {
    /// The bytes of all strings, end to end.
    public private(set) var bytes: [UInt8] = []
    private var ends: [Int] = []

    /// An empty list.
    public init() {}

    /// The first index, 0.
    public var startIndex: Int { 0 }
    /// The number of strings.
    public var endIndex: Int { ends.count }
    /// The bytes of the string at `index`.
    public subscript(index: Int) -> ArraySlice<UInt8> { bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]] }

    /// Reserves memory for `count` strings with `bytes` bytes in total.
    public mutating func reserveCapacity(_ count: Int, bytes: Int) {
        ends.reserveCapacity(count)
        self.bytes.reserveCapacity(bytes)
    }

    /// Adds a string at the end.
    public mutating func append(_ string: some Sequence<UInt8>) {
        bytes.append(contentsOf: string)
        ends.append(bytes.count)
    }
}
