// Little-endian bytes, and byte counts that do not overflow.

extension [UInt8] {
    /// Appends the bytes of `value`, least significant first.
    package mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// Appends the length of `text` in bytes as a 64-bit integer, then its UTF-8.
    package mutating func appendString(_ text: String) {
        appendLittleEndian(UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }
}

extension Array where Element: BitwiseCopyable {
    /// Lends the elements' bytes to `body`, which throws this package's error.
    package func withBytes<R>(
        _ body: (UnsafeRawBufferPointer) throws(InferenceError) -> R
    ) throws(InferenceError) -> R {
        let result: Result<R, InferenceError> = withUnsafeBytes { bytes in
            Result { () throws(InferenceError) in try body(bytes) }
        }
        return try result.get()
    }
}

extension Int {
    /// The product of non-negative factors, or `Int.max` if it overflows. No memory has that size, so allocation fails.
    package static func product(_ factors: Int...) -> Int {
        factors.reduce(1) {
            let (product, isTooLarge) = $0.multipliedReportingOverflow(by: $1)
            return isTooLarge ? .max : product
        }
    }

    /// The sum of non-negative terms, or `Int.max` if it overflows.
    package static func sum(_ terms: [Int]) -> Int {
        terms.reduce(0) {
            let (sum, isTooLarge) = $0.addingReportingOverflow($1)
            return isTooLarge ? .max : sum
        }
    }

    /// The number of bytes in MiB, rounded up, for messages.
    package var mebibytes: String { "\((self >> 20) + (self & 0xf_ffff == 0 ? 0 : 1)) MiB" }
}
