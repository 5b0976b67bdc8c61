// MXFP4 (OCP Microscaling Formats 1.0): blocks of 32 with 4-bit floats (E2M1) and a power of two as scale.

import InferGGUF

enum MXFP4: BlockFormat32, BlockQuantizing {
    static let type = TensorType.mxfp4
    static let byteCount = 17
    static let layout = BlockLayout(bits: 4, codebook: (0..<16).map(value), factorOffsets: [])
    static let fileType: UInt32? = 38

    /// Twice the E2M1 value of a nibble, which is an integer.
    @inline(__always)
    static func value(_ nibble: UInt8) -> Int8 {
        let values: SIMD16<Int8> = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]
        return values[Int(nibble)]
    }

    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    ) {
        unpackNibbles(block + 1, into: quanta, value)
        return (scale(exponent: block.load(as: UInt8.self)), 0)
    }

    /// 2^(exponent − 128): half of the format's scale, because the quanta are doubled. The two smallest are subnormal.
    static func scale(exponent: UInt8) -> Float {
        Float(bitPattern: exponent < 2 ? 0x0020_0000 << UInt32(exponent) : (UInt32(exponent) - 1) << 23)
    }

    /// Tries three exponents, at which the largest value is clipped, near the largest level, or in the middle of the
    /// levels. Takes the one with the least error.
    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        let peak = peak(values, 2).magnitude
        guard peak >= smallestPeak else {
            block.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
            return true
        }
        // The largest value of E2M1 is 1.5 · 2²; the bias of the scale is 127.
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

extension MXFP4: SymmetricLevels {
    static let lower: Float = -12, upper: Float = 12
    /// Twice the values of E2M1.
    static let levels = LevelTable(bound: 13, level: value)

    @inline(__always)
    static func nearest(_ values: Lanes) -> Lanes { levels.nearest(values) }
}
