// Q2_K: 2-bit quanta, a 4-bit scale and minimum per group of 16.

enum Q2_K: BlockFormat256 {
    static let byteCount = 84
    static let hasMinima = true

    static func unpack(
        _ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Int16>,
        minima: UnsafeMutablePointer<Int16>
    ) -> (scale: Float, minimum: Float) {
        for i in 0..<256 {
            let byte = block.load(fromByteOffset: 16 + i / 128 * 32 + i % 32, as: UInt8.self)
            quanta[i] = Int8(byte >> UInt8(i % 128 / 32 * 2) & 3)
        }
        for group in 0..<16 {
            let byte = block.load(fromByteOffset: group, as: UInt8.self)
            scales[group] = Int16(byte & 15)
            minima[group] = Int16(byte >> 4)
        }
        return (Float(halfAt: block + 80), Float(halfAt: block + 82))
    }
}
