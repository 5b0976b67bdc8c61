// Conversion between f32 and f16 bits, the same on every platform.

extension Float {
    /// The value of f16 bits; exact. Signalling NaNs become quiet.
    @inline(__always)
    init(halfBits bits: UInt16) {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10 & 31)
        let mantissa = UInt32(bits & 0x3ff)
        switch exponent {
        case 0: self = Float(bitPattern: (Float(mantissa) * 0x1p-24).bitPattern | sign)
        case 31: self.init(bitPattern: sign | 0x7f80_0000 | mantissa << 13 | (mantissa == 0 ? 0 : 0x0040_0000))
        default: self.init(bitPattern: sign | (exponent + 112) << 23 | mantissa << 13)
        }
    }

    /// The value of the f16 at an address.
    @inline(__always)
    init(halfAt address: UnsafeRawPointer) {
        self.init(halfBits: UInt16(littleEndian: address.loadUnaligned(as: UInt16.self)))
    }

    /// The nearest f16, ties to even; overflow is infinity.
    package var halfBits: UInt16 {
        let sign = UInt16(truncatingIfNeeded: bitPattern >> 16) & 0x8000
        let magnitude = bitPattern & 0x7fff_ffff
        let rounded: UInt32
        switch magnitude {
        case 0x7f80_0001...: rounded = 0x7e00 | magnitude >> 13 & 0x1ff
        case 0x477f_f000...: rounded = 0x7c00  // 65520 and above
        case 0x3880_0000...: rounded = (magnitude + 0xfff + (magnitude >> 13 & 1) - 0x3800_0000) >> 13
        // Below 2⁻¹⁴, adding ½ leaves the multiple of 2⁻²⁴ in the low bits, rounded.
        default: rounded = (Float(bitPattern: magnitude) + 0.5).bitPattern - 0x3f00_0000
        }
        return sign | UInt16(truncatingIfNeeded: rounded)
    }
}
