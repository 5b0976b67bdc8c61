// Q4_1: blocks of 32 with 4-bit quanta, a scale and a minimum.

import InferGGUF

enum Q4_1: BlockFormat32, BlockQuantizing {
    static let type = TensorType.q4_1
    static let byteCount = 20
    static let hasMinimum = true
    static let layout = BlockLayout(bits: 4, factorOffsets: [0, 2])
    static let fileType: UInt32? = 3

    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    ) {
        unpackNibbles(block + 4, into: quanta) { Int8($0) }
        return (Float(halfAt: block), Float(halfAt: block + 2))
    }

    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        withLanes(2) { quanta in
            let isFinite = AffineFit(top: 15, isOffsetNegative: false).quantize(values, into: quanta, factors: block)
            block.storeNibbles(quanta[0].bytes, quanta[1].bytes, at: 4)
            return isFinite
        }
    }
}
