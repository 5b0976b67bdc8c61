// Tensor types with blocks of 32 elements, and the bit fields that these blocks share.

/// A type whose blocks hold 32 quanta q, a scale d and perhaps a minimum m: value = d · q (+ m).
protocol BlockFormat32: BlockFormat {
    /// Whether blocks have a minimum.
    static var hasMinimum: Bool { get }
    /// Unpacks a block's 32 signed quanta; returns its scale and minimum.
    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    )
}

extension BlockFormat32 {
    static var blockSize: Int { 32 }
    static var hasMinimum: Bool { false }

    /// Writes the values of `count` elements, a multiple of 32.
    static func dequantize(_ count: Int, _ blocks: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
        withUnsafeTemporaryAllocation(of: Int8.self, capacity: 32) { buffer in
            guard let quanta = buffer.baseAddress else { return }
            for block in 0..<count / 32 {
                let (scale, minimum) = unpack(blocks + block * byteCount, into: quanta)
                let values = values + block * 32
                for i in 0..<32 {
                    let value = scale * Float(quanta[i])
                    values[i] = hasMinimum ? value + minimum : value
                }
            }
        }
    }
}

// MARK: Reading

/// Unpacks 16 bytes of nibbles: the low halves, then the high ones.
func unpackNibbles(
    _ bytes: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>, _ value: (UInt8) -> Int8
) {
    for i in 0..<16 {
        let byte = bytes.load(fromByteOffset: i, as: UInt8.self)
        quanta[i] = value(byte & 15)
        quanta[i + 16] = value(byte >> 4)
    }
}

/// Unpacks 16 bytes of nibbles whose fifth bits are in a 32-bit word, and subtracts `offset`.
func unpackFiveBits(
    bits: UnsafeRawPointer, nibbles: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>, offset: Int8
) {
    let bits = UInt32(littleEndian: bits.loadUnaligned(as: UInt32.self))
    unpackNibbles(nibbles, into: quanta) { Int8($0) }
    for i in 0..<32 { quanta[i] += Int8((bits >> UInt32(i) & 1) << 4) - offset }
}

// MARK: Writing

extension UnsafeMutableRawPointer {
    /// Stores `value` as f16 at `offset`; returns the stored value, which is infinite when `value` is too large.
    func storeHalf(_ value: Float, at offset: Int) -> Float {
        let bits = value.halfBits
        storeBytes(of: bits.littleEndian, toByteOffset: offset, as: UInt16.self)
        return Float(halfBits: bits)
    }

    /// Stores 32 nibbles in sixteen bytes: the first sixteen nibbles are the low halves.
    func storeNibbles(_ low: SIMD16<UInt8>, _ high: SIMD16<UInt8>, at offset: Int) {
        storeBytes(of: low | high &<< 4, toByteOffset: offset, as: SIMD16<UInt8>.self)
    }

    /// Stores 32 quanta of five bits: a word with the fifth bits at `offset`, then the nibbles.
    func storeFiveBits(_ low: SIMD16<UInt8>, _ high: SIMD16<UInt8>, at offset: Int) {
        var bits: UInt32 = 0
        for i in 0..<16 { bits |= UInt32(low[i] >> 4) << UInt32(i) | UInt32(high[i] >> 4) << UInt32(i + 16) }
        storeBytes(of: bits.littleEndian, toByteOffset: offset, as: UInt32.self)
        storeNibbles(low & 15, high & 15, at: offset + 4)
    }
}
