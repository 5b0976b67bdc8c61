// Quantising to IQ4_NL.

extension IQ4_NL: BlockQuantizing {
    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        let scale = block.storeHalf(SymmetricFit<IQ4_NL>.scale(values, 2), at: 0)
        return withLanes(2) { quanta in
            SymmetricFit<IQ4_NL>.quantize(values, 2, scale: scale, into: quanta)
            block.storeNibbles(levels.indices(quanta[0]), levels.indices(quanta[1]), at: 2)
            return scale.isFinite
        }
    }
}
