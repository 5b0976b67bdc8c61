// Q2_K: super-blocks of 256 with 2-bit quanta, and a 4-bit scale and minimum per group of 16.

import InferGGUF

enum Q2_K: BlockFormat256, BlockQuantizing {
    static let type = TensorType.q2_K
    static let byteCount = 84
    static let hasMinima = true
    static let layout = BlockLayout(bits: 2, scaledGroup: 16, factorOffsets: [80, 82])
    static let fileType: UInt32? = 10
    static let shorterType: TensorType? = .q4_0

    static func unpack(
        _ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Int16>,
        minima: UnsafeMutablePointer<Int16>
    ) -> (scale: Float, minimum: Float) {
        for i in 0..<256 {
            let byte = block.load(fromByteOffset: 16 + i / 128 * 32 + i % 32, as: UInt8.self)
            quanta[i] = Int8(byte >> UInt8(i % 128 / 32 * 2) & 3)
        }
        for group in 0..<16 {
            let byte = block.load(fromByteOffset: group, as: UInt8.self)
            scales[group] = Int16(byte & 15)
            minima[group] = Int16(byte >> 4)
        }
        return (Float(halfAt: block + 80), Float(halfAt: block + 82))
    }

    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        withLanes(16) { quanta in
            let factors = AffineSuperFit(groupLanes: 1, top: 3, highestScale: 15).quantize(values, into: quanta)
            block.storeBytes(of: factors.scales.bytes | factors.minima.bytes &<< 4, as: SIMD16<UInt8>.self)
            block.storePairs(quanta, at: 16)
            return block.storeHalf(factors.scale, at: 80).isFinite && block.storeHalf(factors.minimum, at: 82).isFinite
        }
    }
}
