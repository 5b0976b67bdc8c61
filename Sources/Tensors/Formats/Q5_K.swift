// Q5_K: 5-bit quanta, a 6-bit scale and minimum per 32.

enum Q5_K: BlockFormat256 {
    static let byteCount = 176
    static let hasMinima = true

    static func unpack(
        _ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Int16>,
        minima: UnsafeMutablePointer<Int16>
    ) -> (scale: Float, minimum: Float) {
        for i in 0..<256 {
            let byte = block.load(fromByteOffset: 48 + i / 64 * 32 + i % 32, as: UInt8.self)
            let bits = block.load(fromByteOffset: 16 + i % 32, as: UInt8.self)
            quanta[i] = Int8(byte >> (i % 64 < 32 ? 0 : 4) & 15 | (bits >> UInt8(i / 32) & 1) << 4)
        }
        unpackSixBits(block + 4, scales: scales, minima: minima)
        return (Float(halfAt: block), Float(halfAt: block + 2))
    }
}
