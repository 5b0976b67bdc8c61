// Quantising to Q4_K.

extension Q4_K: BlockQuantizing {
    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        withLanes(16) { quanta in
            let factors = AffineSuperFit(groupLanes: 2, top: 15, highestScale: 63).quantize(values, into: quanta)
            block.storeNibbles(quanta, at: 16)
            return block.storeSixBits(factors)
        }
    }
}
