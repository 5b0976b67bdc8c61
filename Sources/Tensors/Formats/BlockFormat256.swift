// Tensor types with super-blocks of 256 elements, and the bit fields that these super-blocks share.

/// A type whose super-blocks hold 16 groups of 16 quanta q, an integer scale s and perhaps an integer minimum m per
/// group, and the factors d and d′ of the super-block: value = d · s · q (− d′ · m).
protocol BlockFormat256: BlockFormat {
    /// Whether groups have minima.
    static var hasMinima: Bool { get }
    /// Unpacks a super-block's 256 signed quanta, its 16 scales and, if it has minima, its 16 minima; returns d and d′.
    static func unpack(
        _ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Int16>,
        minima: UnsafeMutablePointer<Int16>
    ) -> (scale: Float, minimum: Float)
}

extension BlockFormat256 {
    static var blockSize: Int { 256 }
    static var hasMinima: Bool { false }

    /// Writes the values of `count` elements, a multiple of 256.
    static func dequantize(_ count: Int, _ blocks: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
        withBuffers { quanta, scales, minima in
            for block in 0..<count / 256 {
                let (scale, minimum) = unpack(
                    blocks + block * byteCount, into: quanta, scales: scales, minima: minima)
                for group in 0..<16 {
                    let groupScale = scale * Float(scales[group])
                    let groupMinimum = hasMinima ? minimum * Float(minima[group]) : 0
                    for i in group * 16..<group * 16 + 16 {
                        let value = groupScale * Float(quanta[i])
                        values[block * 256 + i] = hasMinima ? value - groupMinimum : value
                    }
                }
            }
        }
    }

    /// Calls `body` with memory for one unpacked super-block: 256 quanta, 16 scales, 16 minima.
    static func withBuffers(
        _ body: (UnsafeMutablePointer<Int8>, UnsafeMutablePointer<Int16>, UnsafeMutablePointer<Int16>) -> Void
    ) {
        withUnsafeTemporaryAllocation(byteCount: 256 + 64, alignment: 16) { buffer in
            guard let base = buffer.baseAddress else { return }
            let scales = (base + 256).bindMemory(to: Int16.self, capacity: 32)
            body(base.bindMemory(to: Int8.self, capacity: 256), scales, scales + 16)
        }
    }
}

// MARK: Reading

/// Unpacks the eight 6-bit scales and minima of Q4_K and Q5_K, each for two groups of 16. The first four of each are
/// the low six bits of a byte. The low four bits of the others share four bytes; their upper two bits are the top bits
/// of the first eight bytes.
func unpackSixBits(
    _ bytes: UnsafeRawPointer, scales: UnsafeMutablePointer<Int16>, minima: UnsafeMutablePointer<Int16>
) {
    func byte(_ i: Int) -> Int16 { Int16(bytes.load(fromByteOffset: i, as: UInt8.self)) }
    for i in 0..<4 {
        scales[2 * i] = byte(i) & 63
        minima[2 * i] = byte(i + 4) & 63
        scales[2 * i + 8] = byte(i + 8) & 15 | (byte(i) >> 6) << 4
        minima[2 * i + 8] = byte(i + 8) >> 4 | (byte(i + 4) >> 6) << 4
    }
    for i in 0..<8 {
        scales[2 * i + 1] = scales[2 * i]
        minima[2 * i + 1] = minima[2 * i]
    }
}

// MARK: Writing

extension UnsafeMutableRawPointer {
    /// Stores two bits of 256 quanta, from bit `bit`, in 64 bytes. A byte holds four quanta that are 32 apart.
    func storePairs(_ quanta: UnsafePointer<Lanes>, bit: UInt8 = 0, at offset: Int) {
        for half in 0..<2 {
            for part in 0..<2 {
                var bytes = SIMD16<UInt8>()
                for quarter in 0..<4 {
                    let pairs: SIMD16<UInt8> = (quanta[8 * half + 2 * quarter + part].bytes &>> bit) & 3
                    bytes |= pairs &<< UInt8(2 * quarter)
                }
                storeBytes(of: bytes, toByteOffset: offset + 32 * half + 16 * part, as: SIMD16<UInt8>.self)
            }
        }
    }

    /// Stores bit `bit` of 256 quanta, which must be their highest, in 32 bytes. A byte holds the bits of eight quanta
    /// that are 32 apart.
    func storeBits(_ quanta: UnsafePointer<Lanes>, bit: UInt8, at offset: Int) {
        for part in 0..<2 {
            var bytes = SIMD16<UInt8>()
            for eighth in 0..<8 {
                let bits: SIMD16<UInt8> = quanta[2 * eighth + part].bytes &>> bit
                bytes |= bits &<< UInt8(eighth)
            }
            storeBytes(of: bytes, toByteOffset: offset + 16 * part, as: SIMD16<UInt8>.self)
        }
    }

    /// Stores the lower four bits of 256 quanta in 128 bytes. A byte holds two quanta that are 32 apart.
    func storeNibbles(_ quanta: UnsafePointer<Lanes>, at offset: Int) {
        for quad in 0..<4 {
            for part in 0..<2 {
                let (low, high) = (quanta[4 * quad + part].bytes, quanta[4 * quad + part + 2].bytes)
                storeNibbles(low & 15, high & 15, at: offset + 32 * quad + 16 * part)
            }
        }
    }

    /// Stores the beginning of a Q4_K or Q5_K block: two factors, then eight 6-bit scales and minima as `unpackSixBits`
    /// reads them. Returns false when a factor is infinite.
    func storeSixBits(_ factors: AffineSuperFit.Factors) -> Bool {
        let (scales, minima) = (factors.scales.bytes, factors.minima.bytes)
        for i in 0..<4 {
            storeBytes(of: scales[i] | (scales[i + 4] >> 4) << 6, toByteOffset: 4 + i, as: UInt8.self)
            storeBytes(of: minima[i] | (minima[i + 4] >> 4) << 6, toByteOffset: 8 + i, as: UInt8.self)
            storeBytes(of: scales[i + 4] & 15 | minima[i + 4] << 4, toByteOffset: 12 + i, as: UInt8.self)
        }
        return storeHalf(factors.scale, at: 0).isFinite && storeHalf(factors.minimum, at: 2).isFinite
    }
}
