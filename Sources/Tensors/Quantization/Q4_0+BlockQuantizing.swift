// Quantising to Q4_0.

extension Q4_0: BlockQuantizing {
    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        let scale = block.storeHalf(SymmetricFit<Levels4>.scale(values, 2), at: 0)
        return withLanes(2) { quanta in
            SymmetricFit<Levels4>.quantize(values, 2, scale: scale, into: quanta)
            block.storeNibbles((quanta[0] + 8).bytes, (quanta[1] + 8).bytes, at: 2)
            return scale.isFinite
        }
    }
}
