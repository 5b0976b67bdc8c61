// Quantising to Q3_K.

extension Q3_K: BlockQuantizing {
    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        withLanes(16) { quanta in
            let fit = SymmetricSuperFit<Levels3>(groupLanes: 1, lowestScale: -32, highestScale: 31)
            let factors = fit.quantize(values, into: quanta)
            for lane in 0..<16 { quanta[lane] += 4 }
            block.storeBits(quanta, bit: 2, at: 0)
            block.storePairs(quanta, at: 32)
            let scales = (factors.scales + 32).bytes
            for i in 0..<8 {
                block.storeBytes(of: scales[i] & 15 | scales[i + 8] << 4, toByteOffset: 96 + i, as: UInt8.self)
            }
            for i in 0..<4 {
                let high = (0..<4).reduce(UInt8(0)) { $0 | (scales[4 * $1 + i] >> 4) << UInt8(2 * $1) }
                block.storeBytes(of: high, toByteOffset: 104 + i, as: UInt8.self)
            }
            return block.storeHalf(factors.factor, at: 108).isFinite
        }
    }
}
