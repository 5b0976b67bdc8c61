// IQ4_NL: 4-bit indices into a fixed table of sixteen values, one scale.

enum IQ4_NL: BlockFormat32 {
    static let byteCount = 18

    /// The value a nibble stands for.
    @inline(__always)
    static func value(_ nibble: UInt8) -> Int8 {
        let values: SIMD16<Int8> = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
        return values[Int(nibble)]
    }

    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    ) {
        unpackNibbles(block + 2, into: quanta, value)
        return (Float(halfAt: block), 0)
    }
}
