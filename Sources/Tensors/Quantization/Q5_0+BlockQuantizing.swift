// Quantising to Q5_0.

extension Q5_0: BlockQuantizing {
    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        let scale = block.storeHalf(SymmetricFit<Levels5>.scale(values, 2), at: 0)
        return withLanes(2) { quanta in
            SymmetricFit<Levels5>.quantize(values, 2, scale: scale, into: quanta)
            block.storeFiveBits((quanta[0] + 16).bytes, (quanta[1] + 16).bytes, at: 2)
            return scale.isFinite
        }
    }
}
