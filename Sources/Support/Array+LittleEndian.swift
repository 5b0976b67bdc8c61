// Building byte strings in the file's byte order.

extension [UInt8] {
    /// Adds the bytes of `value`, least significant first.
    package mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// Adds the length of `text` in bytes, in 64 bits, and its UTF-8.
    package mutating func appendString(_ text: String) {
        appendLittleEndian(UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }
}
