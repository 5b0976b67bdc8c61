// Metadata arrays made of Swift values, for writing a file.

import InferSupport

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
    /// An array of truth values.
    public init(_ elements: [Bool]) { self.init(copying: elements.map { UInt8($0 ? 1 : 0) }, as: .bool) }
    /// An array of texts.
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
