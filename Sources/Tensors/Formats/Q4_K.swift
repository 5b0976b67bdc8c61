// Q4_K: super-blocks of 256 with 4-bit quanta, and a 6-bit scale and minimum per group of 32.

import InferGGUF

enum Q4_K: BlockFormat256, BlockQuantizing {
    static let type = TensorType.q4_K
    static let byteCount = 144
    static let hasMinima = true
    static let layout = BlockLayout(bits: 4, scaledGroup: 32, factorOffsets: [0, 2])
    static let fileType: UInt32? = 14
    static let shorterType: TensorType? = .q5_0

    static func unpack(
        _ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Int16>,
        minima: UnsafeMutablePointer<Int16>
    ) -> (scale: Float, minimum: Float) {
        for i in 0..<256 {
            let byte = block.load(fromByteOffset: 16 + i / 64 * 32 + i % 32, as: UInt8.self)
            quanta[i] = Int8(byte >> (i % 64 < 32 ? 0 : 4) & 15)
        }
        unpackSixBits(block + 4, scales: scales, minima: minima)
        return (Float(halfAt: block), Float(halfAt: block + 2))
    }

    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        withLanes(16) { quanta in
            let factors = AffineSuperFit(groupLanes: 2, top: 15, highestScale: 63).quantize(values, into: quanta)
            block.storeNibbles(quanta, at: 16)
            return block.storeSixBits(factors)
        }
    }
}
