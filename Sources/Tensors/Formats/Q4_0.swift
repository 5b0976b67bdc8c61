// Q4_0: blocks of 32 with 4-bit quanta less 8 and one scale.

import InferGGUF

enum Q4_0: BlockFormat32, BlockQuantizing {
    static let type = TensorType.q4_0
    static let byteCount = 18
    static let layout = BlockLayout(bits: 4, offset: -8, factorOffsets: [0])
    static let fileType: UInt32? = 2

    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    ) {
        unpackNibbles(block + 2, into: quanta) { Int8($0) - 8 }
        return (Float(halfAt: block), 0)
    }

    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        let scale = block.storeHalf(SymmetricFit<Q4_0>.scale(values, 2), at: 0)
        return withLanes(2) { quanta in
            SymmetricFit<Q4_0>.quantize(values, 2, scale: scale, into: quanta)
            block.storeNibbles((quanta[0] + 8).bytes, (quanta[1] + 8).bytes, at: 2)
            return scale.isFinite
        }
    }
}

extension Q4_0: IntegerLevels {
    static let lower: Float = -8, upper: Float = 7
}
