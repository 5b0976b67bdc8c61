// What distinguishes one weight format of 32-element blocks from another.

/// A format whose blocks hold 32 quanta q, a scale d and perhaps a minimum m: value = d · q (+ m).
protocol BlockFormat32: SendableMetatype {
    /// Bytes of a block in the file.
    static var byteCount: Int { get }
    /// Whether blocks have a minimum.
    static var hasMinimum: Bool { get }
    /// Unpacks a block's 32 signed quanta and returns its scale and minimum.
    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    )
}

extension BlockFormat32 {
    static var hasMinimum: Bool { false }

    /// The value of `count` elements, a multiple of 32.
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

/// Unpacks 16 bytes of nibbles with the fifth bits in the 32-bit word before them, less `offset`.
func unpackFiveBits(
    bits: UnsafeRawPointer, nibbles: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>, offset: Int8
) {
    let bits = UInt32(littleEndian: bits.loadUnaligned(as: UInt32.self))
    unpackNibbles(nibbles, into: quanta) { Int8($0) }
    for i in 0..<32 { quanta[i] += Int8((bits >> UInt32(i) & 1) << 4) - offset }
}
