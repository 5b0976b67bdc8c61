// IQ4_NL: blocks of 32 with 4-bit indices into a table of sixteen values and one scale.

import InferGGUF

enum IQ4_NL: BlockFormat32, BlockQuantizing {
    static let type = TensorType.iq4_nl
    static let byteCount = 18
    static let layout = BlockLayout(bits: 4, codebook: (0..<16).map(value), factorOffsets: [0])
    static let fileType: UInt32? = 25

    /// The value of a nibble.
    @inline(__always)
    static func value(_ nibble: UInt8) -> Int8 {
        let values: SIMD16<Int8> = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
        return values[Int(nibble)]
    }

    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    ) {
        unpackNibbles(block + 2, into: quanta, value)
        return (Float(halfAt: block), 0)
    }

    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        let scale = block.storeHalf(SymmetricFit<IQ4_NL>.scale(values, 2), at: 0)
        return withLanes(2) { quanta in
            SymmetricFit<IQ4_NL>.quantize(values, 2, scale: scale, into: quanta)
            block.storeNibbles(levels.indices(quanta[0]), levels.indices(quanta[1]), at: 2)
            return scale.isFinite
        }
    }
}

extension IQ4_NL: SymmetricLevels {
    static let lower: Float = -127, upper: Float = 113
    /// The uneven levels, which IQ4_XS has too.
    static let levels = LevelTable(bound: 128, level: value)

    @inline(__always)
    static func nearest(_ values: Lanes) -> Lanes { levels.nearest(values) }
}
