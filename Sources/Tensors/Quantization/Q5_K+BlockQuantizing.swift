// Quantising to Q5_K.

extension Q5_K: BlockQuantizing {
    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        withLanes(16) { quanta in
            let factors = AffineSuperFit(groupLanes: 2, top: 31, highestScale: 63).quantize(values, into: quanta)
            block.storeBits(quanta, bit: 4, at: 16)
            block.storeNibbles(quanta, at: 48)
            return block.storeSixBits(factors)
        }
    }
}
