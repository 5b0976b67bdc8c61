// Quantising to Q6_K.

extension Q6_K: BlockQuantizing {
    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        withLanes(16) { quanta in
            let fit = SymmetricSuperFit<Levels6>(groupLanes: 1, lowestScale: -128, highestScale: 127)
            let factors = fit.quantize(values, into: quanta)
            for lane in 0..<16 { quanta[lane] += 32 }
            for half in 0..<2 {
                for lane in 0..<4 {
                    let (first, third) = (quanta[8 * half + lane].bytes, quanta[8 * half + lane + 4].bytes)
                    block.storeNibbles(first & 15, third & 15, at: 64 * half + 16 * lane)
                }
                for part in 0..<2 {
                    let high = (0..<4).reduce(into: SIMD16<UInt8>()) { high, quarter in
                        high |= (quanta[8 * half + 2 * quarter + part].bytes &>> 4) &<< UInt8(2 * quarter)
                    }
                    block.storeBytes(of: high, toByteOffset: 128 + 32 * half + 16 * part, as: SIMD16<UInt8>.self)
                }
            }
            let scales = SIMD16<Int8>(truncatingIfNeeded: factors.scales.integers)
            block.storeBytes(of: scales, toByteOffset: 192, as: SIMD16<Int8>.self)
            return block.storeHalf(factors.factor, at: 208).isFinite
        }
    }
}
