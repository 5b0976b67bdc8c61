// Q5_1: blocks of 32 with 5-bit quanta, a scale and a minimum.

import InferGGUF

enum Q5_1: BlockFormat32, BlockQuantizing {
    static let type = TensorType.q5_1
    static let byteCount = 24
    static let hasMinimum = true
    static let layout = BlockLayout(bits: 5, factorOffsets: [0, 2])
    static let fileType: UInt32? = 9

    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    ) {
        unpackFiveBits(bits: block + 4, nibbles: block + 8, into: quanta, offset: 0)
        return (Float(halfAt: block), Float(halfAt: block + 2))
    }

    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        withLanes(2) { quanta in
            let isFinite = AffineFit(top: 31, isOffsetNegative: false).quantize(values, into: quanta, factors: block)
            block.storeFiveBits(quanta[0].bytes, quanta[1].bytes, at: 4)
            return isFinite
        }
    }
}
