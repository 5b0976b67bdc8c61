// Q6_K: super-blocks of 256 with 6-bit quanta less 32, and an 8-bit scale per group of 16.

import InferGGUF

enum Q6_K: BlockFormat256, BlockQuantizing {
    static let type = TensorType.q6_K
    static let byteCount = 210
    static let layout = BlockLayout(bits: 6, offset: -32, scaledGroup: 16, factorOffsets: [208])
    static let fileType: UInt32? = 18
    static let shorterType: TensorType? = .q8_0

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

    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        withLanes(16) { (quanta: UnsafeMutablePointer<Lanes>) -> Bool in
            let fit = SymmetricSuperFit<Q6_K>(groupLanes: 1, lowestScale: -128, highestScale: 127)
            let factors = fit.quantize(values, into: quanta)
            for lane in 0..<16 { quanta[lane] += 32 }
            for half in 0..<2 {
                for lane in 0..<4 {
                    let (first, third) = (quanta[8 * half + lane].bytes, quanta[8 * half + lane + 4].bytes)
                    block.storeNibbles(first & 15, third & 15, at: 64 * half + 16 * lane)
                }
            }
            block.storePairs(quanta, bit: 4, at: 128)
            let scales = SIMD16<Int8>(truncatingIfNeeded: factors.scales.integers)
            block.storeBytes(of: scales, toByteOffset: 192, as: SIMD16<Int8>.self)
            return block.storeHalf(factors.factor, at: 208).isFinite
        }
    }
}

extension Q6_K: IntegerLevels {
    static let lower: Float = -32, upper: Float = 31
}
