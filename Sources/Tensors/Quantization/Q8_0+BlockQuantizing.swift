// Quantising to Q8_0.

extension Q8_0: BlockQuantizing {
    /// The largest magnitude becomes 127: with so many levels a search for a better scale gains next to nothing.
    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        let scale = block.storeHalf(peak(values, 2).magnitude / 127, at: 0)
        let inverse = scale == 0 ? 0 : 1 / scale
        for lane in 0..<2 {
            let quanta = (values[lane] * inverse).nearestIntegers.clampedIntegers(-127, 127)
            let bytes = SIMD16<Int8>(truncatingIfNeeded: quanta.integers)
            block.storeBytes(of: bytes, toByteOffset: 2 + 16 * lane, as: SIMD16<Int8>.self)
        }
        return scale.isFinite
    }
}
