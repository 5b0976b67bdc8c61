// MXFP4 (OCP Microscaling Formats 1.0): E2M1 values and one power-of-two scale per block.

enum MXFP4: BlockFormat32 {
    static let byteCount = 17

    /// Twice the E2M1 value of a nibble, an integer.
    @inline(__always)
    static func value(_ nibble: UInt8) -> Int8 {
        let values: SIMD16<Int8> = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]
        return values[Int(nibble)]
    }

    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    ) {
        unpackNibbles(block + 1, into: quanta, value)
        return (scale(exponent: block.load(as: UInt8.self)), 0)
    }

    /// 2^(e − 127), halved because the quanta are doubled; the two least are subnormal.
    static func scale(exponent: UInt8) -> Float {
        Float(bitPattern: exponent < 2 ? 0x0020_0000 << UInt32(exponent) : (UInt32(exponent) - 1) << 23)
    }
}
