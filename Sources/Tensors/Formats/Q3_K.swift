// Q3_K: super-blocks of 256 with 3-bit quanta less 4, and a 6-bit scale less 32 per group of 16.

import InferGGUF

enum Q3_K: BlockFormat256, BlockQuantizing {
    static let type = TensorType.q3_K
    static let byteCount = 110
    static let layout = BlockLayout(bits: 3, offset: -4, scaledGroup: 16, factorOffsets: [108])
    static let fileType: UInt32? = 11
    static let shorterType: TensorType? = .q4_0

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

    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        withLanes(16) { (quanta: UnsafeMutablePointer<Lanes>) -> Bool in
            let fit = SymmetricSuperFit<Q3_K>(groupLanes: 1, lowestScale: -32, highestScale: 31)
            let factors = fit.quantize(values, into: quanta)
            for lane in 0..<16 { quanta[lane] += 4 }
            block.storeBits(quanta, bit: 2, at: 0)
            block.storePairs(quanta, at: 32)
            let scales = (factors.scales + 32).bytes
            for i in 0..<8 {
                block.storeBytes(of: scales[i] & 15 | scales[i + 8] << 4, toByteOffset: 96 + i, as: UInt8.self)
            }
            for i in 0..<4 {
                var high: UInt8 = 0
                for quarter in 0..<4 {
                    let bits: UInt8 = scales[4 * quarter + i] >> 4
                    high |= bits << UInt8(2 * quarter)
                }
                block.storeBytes(of: high, toByteOffset: 104 + i, as: UInt8.self)
            }
            return block.storeHalf(factors.factor, at: 108).isFinite
        }
    }
}

extension Q3_K: IntegerLevels {
    static let lower: Float = -4, upper: Float = 3
}
