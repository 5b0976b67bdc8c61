// Quantising to Q2_K.

extension Q2_K: BlockQuantizing {
    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        withLanes(16) { quanta in
            let factors = AffineSuperFit(groupLanes: 1, top: 3, highestScale: 15).quantize(values, into: quanta)
            block.storeBytes(of: factors.scales.bytes | factors.minima.bytes &<< 4, as: SIMD16<UInt8>.self)
            block.storePairs(quanta, at: 16)
            return block.storeHalf(factors.scale, at: 80).isFinite && block.storeHalf(factors.minimum, at: 82).isFinite
        }
    }
}
