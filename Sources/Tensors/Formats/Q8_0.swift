// Q8_0: blocks of 32 with 8-bit quanta and one scale.

import InferGGUF

enum Q8_0: BlockFormat32, BlockQuantizing {
    static let type = TensorType.q8_0
    static let byteCount = 34
    static let layout = BlockLayout(bits: 8, factorOffsets: [0])
    static let fileType: UInt32? = 7

    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    ) {
        for i in 0..<32 { quanta[i] = block.load(fromByteOffset: 2 + i, as: Int8.self) }
        return (Float(halfAt: block), 0)
    }

    /// The largest magnitude becomes 127. With so many levels, a search for a better scale gains almost nothing.
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
