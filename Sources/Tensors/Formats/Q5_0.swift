// Q5_0: blocks of 32 with 5-bit quanta less 16 and one scale.

import InferGGUF

enum Q5_0: BlockFormat32, BlockQuantizing {
    static let type = TensorType.q5_0
    static let byteCount = 22
    static let layout = BlockLayout(bits: 5, offset: -16, factorOffsets: [0])
    static let fileType: UInt32? = 8

    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    ) {
        unpackFiveBits(bits: block + 2, nibbles: block + 6, into: quanta, offset: 16)
        return (Float(halfAt: block), 0)
    }

    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        let scale = block.storeHalf(SymmetricFit<Q5_0>.scale(values, 2), at: 0)
        return withLanes(2) { quanta in
            SymmetricFit<Q5_0>.quantize(values, 2, scale: scale, into: quanta)
            block.storeFiveBits((quanta[0] + 16).bytes, (quanta[1] + 16).bytes, at: 2)
            return scale.isFinite
        }
    }
}

extension Q5_0: IntegerLevels {
    static let lower: Float = -16, upper: Float = 15
}
