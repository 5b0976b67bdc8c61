// IQ4_XS: IQ4_NL's indices, a 6-bit scale less 32 per 32.

enum IQ4_XS: BlockFormat256 {
    static let byteCount = 136

    static func unpack(
        _ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Int16>,
        minima: UnsafeMutablePointer<Int16>
    ) -> (scale: Float, minimum: Float) {
        let highBits = UInt16(littleEndian: block.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        for i in 0..<8 {
            unpackNibbles(block + 8 + 16 * i, into: quanta + 32 * i, IQ4_NL.value)
            let low = block.load(fromByteOffset: 4 + i / 2, as: UInt8.self) >> (i % 2 == 0 ? 0 : 4) & 15
            let high = UInt8(truncatingIfNeeded: highBits >> UInt16(2 * i) & 3)
            scales[2 * i] = Int16(low | high << 4) - 32
            scales[2 * i + 1] = scales[2 * i]
        }
        return (Float(halfAt: block), 0)
    }
}
