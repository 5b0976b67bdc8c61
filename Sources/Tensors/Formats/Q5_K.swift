// Q5_K: super-blocks of 256 with 5-bit quanta, and a 6-bit scale and minimum per group of 32.

import InferGGUF

enum Q5_K: BlockFormat256, BlockQuantizing {
    static let type = TensorType.q5_K
    static let byteCount = 176
    static let hasMinima = true
    static let layout = BlockLayout(bits: 5, scaledGroup: 32, factorOffsets: [0, 2])
    static let fileType: UInt32? = 16
    static let shorterType: TensorType? = .q5_1

    static func unpack(
        _ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Int16>,
        minima: UnsafeMutablePointer<Int16>
    ) -> (scale: Float, minimum: Float) {
        for i in 0..<256 {
            let byte = block.load(fromByteOffset: 48 + i / 64 * 32 + i % 32, as: UInt8.self)
            let bits = block.load(fromByteOffset: 16 + i % 32, as: UInt8.self)
            quanta[i] = Int8(byte >> (i % 64 < 32 ? 0 : 4) & 15 | (bits >> UInt8(i / 32) & 1) << 4)
        }
        unpackSixBits(block + 4, scales: scales, minima: minima)
        return (Float(halfAt: block), Float(halfAt: block + 2))
    }

    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        withLanes(16) { quanta in
            let factors = AffineSuperFit(groupLanes: 2, top: 31, highestScale: 63).quantize(values, into: quanta)
            block.storeBits(quanta, bit: 4, at: 16)
            block.storeNibbles(quanta, at: 48)
            return block.storeSixBits(factors)
        }
    }
}
