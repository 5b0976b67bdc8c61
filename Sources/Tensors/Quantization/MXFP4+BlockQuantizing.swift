// Quantising to MXFP4.

extension MXFP4: BlockQuantizing {
    /// Of three exponents, at which the largest value is clipped, near the largest level, or in the middle of the
    /// levels, the one with the least error.
    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        let peak = peak(values, 2).magnitude
        guard peak >= smallestPeak else {
            block.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
            return true
        }
        // E2M1's largest value is 1.5 · 2²; the scale's bias is 127.
        let middle = Int(peak.exponent) - 2 + 127
        var best = (exponent: UInt8(0), error: Float.infinity)
        for exponent in middle - 1...middle + 1 {
            let exponent = UInt8(exponent)
            let error = SymmetricFit<MXFP4>.error(values, 2, scale: scale(exponent: exponent))
            if error < best.error { best = (exponent, error) }
        }
        block.storeBytes(of: best.exponent, as: UInt8.self)
        return withLanes(2) { quanta in
            SymmetricFit<MXFP4>.quantize(values, 2, scale: scale(exponent: best.exponent), into: quanta)
            block.storeNibbles(levels.indices(quanta[0]), levels.indices(quanta[1]), at: 1)
            return best.error.isFinite
        }
    }
}
