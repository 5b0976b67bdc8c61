// Quantising to Q5_1.

extension Q5_1: BlockQuantizing {
    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        withLanes(2) { quanta in
            let isFinite = AffineFit(top: 31, isOffsetNegative: false).quantize(values, into: quanta, factors: block)
            block.storeFiveBits(quanta[0].bytes, quanta[1].bytes, at: 4)
            return isFinite
        }
    }
}
