// Sets of bytes.

/// A set of bytes: one bit for each of the 256 values.
struct ByteSet: Hashable, Sendable {
    private var words = SIMD4<UInt64>()

    /// The empty set.
    init() {}

    /// The set of one byte.
    init(_ byte: UInt8) { insert(byte) }

    /// The bytes of a range.
    init(_ range: ClosedRange<UInt8>) {
        for byte in range { insert(byte) }
    }

    /// The bytes of a text.
    init(_ text: StaticString) {
        text.withUTF8Buffer { for byte in $0 { insert(byte) } }
    }

    /// Whether there is no byte.
    var isEmpty: Bool { words == SIMD4() }

    /// The number of bytes.
    var count: Int { (0..<4).reduce(0) { $0 + words[$1].nonzeroBitCount } }

    /// Whether `byte` is an element.
    func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 != 0 }

    /// Adds `byte`.
    mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }

    /// Adds the bytes of `other`.
    mutating func formUnion(_ other: ByteSet) { words |= other.words }

    /// The bytes that both sets have.
    func intersection(_ other: ByteSet) -> ByteSet {
        var result = self
        result.words &= other.words
        return result
    }

    /// The bytes that `other` lacks.
    func subtracting(_ other: ByteSet) -> ByteSet {
        var result = self
        result.words &= ~other.words
        return result
    }

    /// The smallest byte; nil if there is none.
    var first: UInt8? {
        for word in 0..<4 where words[word] != 0 { return UInt8(word << 6 | words[word].trailingZeroBitCount) }
        return nil
    }
}
