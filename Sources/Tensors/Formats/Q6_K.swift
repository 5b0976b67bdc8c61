// Q6_K: 6-bit quanta less 32, an 8-bit scale per group of 16.

enum Q6_K: BlockFormat256 {
    static let byteCount = 210

    static func unpack(
        _ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Int16>,
        minima: UnsafeMutablePointer<Int16>
    ) -> (scale: Float, minimum: Float) {
        for i in 0..<256 {
            let half = i / 128, quarter = i % 128 / 32, lane = i % 32
            let low = block.load(fromByteOffset: half * 64 + quarter % 2 * 32 + lane, as: UInt8.self)
            let high = block.load(fromByteOffset: 128 + half * 32 + lane, as: UInt8.self)
            let pair = high >> UInt8(quarter * 2) & 3
            quanta[i] = Int8(low >> (quarter < 2 ? 0 : 4) & 15 | pair << 4) - 32
        }
        for group in 0..<16 { scales[group] = Int16(block.load(fromByteOffset: 192 + group, as: Int8.self)) }
        return (Float(halfAt: block + 208), 0)
    }
}
