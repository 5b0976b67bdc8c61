// Q3_K: 3-bit quanta less 4, a 6-bit scale less 32 per group of 16.

enum Q3_K: BlockFormat256 {
    static let byteCount = 110

    static func unpack(
        _ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Int16>,
        minima: UnsafeMutablePointer<Int16>
    ) -> (scale: Float, minimum: Float) {
        func byte(_ offset: Int) -> UInt8 { block.load(fromByteOffset: offset, as: UInt8.self) }
        for i in 0..<256 {
            let pair = byte(32 + i / 128 * 32 + i % 32) >> UInt8(i % 128 / 32 * 2) & 3
            let bit = byte(i % 32) >> UInt8(i / 32) & 1
            quanta[i] = Int8(pair | bit << 2) - 4
        }
        for group in 0..<16 {
            let low = byte(96 + group % 8) >> (group < 8 ? 0 : 4) & 15
            let high = byte(104 + group % 4) >> UInt8(group / 4 * 2) & 3
            scales[group] = Int16(low | high << 4) - 32
        }
        return (Float(halfAt: block + 108), 0)
    }
}
