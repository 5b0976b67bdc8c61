// Quantising to IQ4_XS.

extension IQ4_XS: BlockQuantizing {
    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        withLanes(16) { quanta in
            let fit = SymmetricSuperFit<IQ4_NL>(groupLanes: 2, lowestScale: -32, highestScale: 31)
            let factors = fit.quantize(values, into: quanta)
            let scales = (factors.scales + 32).bytes
            var highBits: UInt16 = 0
            for i in 0..<8 {
                let (low, high) = (IQ4_NL.levels.indices(quanta[2 * i]), IQ4_NL.levels.indices(quanta[2 * i + 1]))
                block.storeNibbles(low, high, at: 8 + 16 * i)
                highBits |= UInt16(scales[i] >> 4) << UInt16(2 * i)
            }
            for i in 0..<4 {
                let low = scales[2 * i] & 15 | scales[2 * i + 1] << 4
                block.storeBytes(of: low, toByteOffset: 4 + i, as: UInt8.self)
            }
            block.storeBytes(of: highBits.littleEndian, toByteOffset: 2, as: UInt16.self)
            return block.storeHalf(factors.factor, at: 0).isFinite
        }
    }
}
