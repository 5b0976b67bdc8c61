// IQ4_XS: super-blocks of 256 with the 4-bit indices of IQ4_NL, and a 6-bit scale less 32 per group of 32.

import InferGGUF

enum IQ4_XS: BlockFormat256, BlockQuantizing {
    static let type = TensorType.iq4_xs
    static let byteCount = 136
    static let layout = BlockLayout(bits: 4, codebook: IQ4_NL.layout.codebook, scaledGroup: 32, factorOffsets: [0])
    static let fileType: UInt32? = 30
    static let shorterType: TensorType? = .iq4_nl

    static func unpack(
        _ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Int16>,
        minima: UnsafeMutablePointer<Int16>
    ) -> (scale: Float, minimum: Float) {
        let highBits = UInt16(littleEndian: block.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        for i in 0..<8 {
            unpackNibbles(block + 8 + 16 * i, into: quanta + 32 * i, IQ4_NL.value)
            let low = block.load(fromByteOffset: 4 + i / 2, as: UInt8.self) >> (i % 2 == 0 ? 0 : 4) & 15
            let high = UInt8(truncatingIfNeeded: highBits >> UInt16(2 * i) & 3)
            scales[2 * i] = Int16(low | high << 4) - 32
            scales[2 * i + 1] = scales[2 * i]
        }
        return (Float(halfAt: block), 0)
    }

    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool {
        withLanes(16) { quanta in
            let fit = SymmetricSuperFit<IQ4_NL>(groupLanes: 2, lowestScale: -32, highestScale: 31)
            let factors = fit.quantize(values, into: quanta)
            let scales = (factors.scales + 32).bytes
            var highBits: UInt16 = 0
            for i in 0..<8 {
                let (low, high) = (IQ4_NL.levels.indices(quanta[2 * i]), IQ4_NL.levels.indices(quanta[2 * i + 1]))
                block.storeNibbles(low, high, at: 8 + 16 * i)
                highBits |= UInt16(scales[i] >> 4) << UInt16(2 * i)
            }
            for i in 0..<4 {
                let low = scales[2 * i] & 15 | scales[2 * i + 1] << 4
                block.storeBytes(of: low, toByteOffset: 4 + i, as: UInt8.self)
            }
            block.storeBytes(of: highBits.littleEndian, toByteOffset: 2, as: UInt16.self)
            return block.storeHalf(factors.factor, at: 0).isFinite
        }
    }
}
