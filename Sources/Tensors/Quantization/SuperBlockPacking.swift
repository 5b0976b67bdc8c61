// How the super-blocks of 256 keep their quanta and scales: the inverse of the unpacking in Formats.

extension UnsafeMutableRawPointer {
    /// Stores the lower two bits of 256 quanta in 64 bytes, four quanta 32 apart to a byte.
    func storePairs(_ quanta: UnsafePointer<Lanes>, at offset: Int) {
        for half in 0..<2 {
            for part in 0..<2 {
                let bytes = (0..<4).reduce(into: SIMD16<UInt8>()) { bytes, quarter in
                    bytes |= (quanta[8 * half + 2 * quarter + part].bytes & 3) &<< UInt8(2 * quarter)
                }
                storeBytes(of: bytes, toByteOffset: offset + 32 * half + 16 * part, as: SIMD16<UInt8>.self)
            }
        }
    }

    /// Stores bit `bit`, which must be the highest, of 256 quanta in 32 bytes, eight quanta 32 apart to a byte.
    func storeBits(_ quanta: UnsafePointer<Lanes>, bit: UInt8, at offset: Int) {
        for part in 0..<2 {
            let bytes = (0..<8).reduce(into: SIMD16<UInt8>()) { bytes, eighth in
                bytes |= (quanta[2 * eighth + part].bytes &>> bit) &<< UInt8(eighth)
            }
            storeBytes(of: bytes, toByteOffset: offset + 16 * part, as: SIMD16<UInt8>.self)
        }
    }

    /// Stores the lower four bits of 256 quanta in 128 bytes, two quanta 32 apart to a byte.
    func storeNibbles(_ quanta: UnsafePointer<Lanes>, at offset: Int) {
        for quad in 0..<4 {
            for part in 0..<2 {
                let (low, high) = (quanta[4 * quad + part].bytes, quanta[4 * quad + part + 2].bytes)
                storeNibbles(low & 15, high & 15, at: offset + 32 * quad + 16 * part)
            }
        }
    }

    /// Stores what Q4_K and Q5_K begin with: two factors, then eight 6-bit scales and minima as `unpackSixBits` reads
    /// them; false when a factor is infinite.
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
