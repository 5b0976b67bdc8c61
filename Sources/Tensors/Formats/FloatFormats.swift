// The tensor types without quantisation: f32, f16 and bf16.

import InferGGUF

/// A type whose elements are floats. Elements have any alignment and are little-endian.
protocol FloatFormat: SendableMetatype {
    /// The type in the file format.
    static var type: TensorType { get }
    /// Bytes of an element.
    static var byteCount: Int { get }
    /// See ``TensorFormat/fileType``.
    static var fileType: UInt32? { get }
    /// The largest magnitude that is not stored as infinity.
    static var limit: Float { get }
    /// The value of element `index`.
    static func value(_ elements: UnsafeRawPointer, _ index: Int) -> Float
    /// Stores the nearest value, ties to even, as element `index`.
    static func store(_ value: Float, to elements: UnsafeMutableRawPointer, _ index: Int)
}

enum F32: FloatFormat {
    static let type = TensorType.f32
    static let byteCount = 4
    static let fileType: UInt32? = 0
    static let limit = Float.greatestFiniteMagnitude

    @inline(__always)
    static func value(_ elements: UnsafeRawPointer, _ index: Int) -> Float { Float(at: elements, index) }

    @inline(__always)
    static func store(_ value: Float, to elements: UnsafeMutableRawPointer, _ index: Int) {
        elements.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: 4 * index, as: UInt32.self)
    }
}

enum F16: FloatFormat {
    static let type = TensorType.f16
    static let byteCount = 2
    static let fileType: UInt32? = 1
    static let limit: Float = 0x1.ffdffep15

    @inline(__always)
    static func value(_ elements: UnsafeRawPointer, _ index: Int) -> Float { Float(halfAt: elements + 2 * index) }

    @inline(__always)
    static func store(_ value: Float, to elements: UnsafeMutableRawPointer, _ index: Int) {
        elements.storeBytes(of: value.halfBits.littleEndian, toByteOffset: 2 * index, as: UInt16.self)
    }
}

enum BF16: FloatFormat {
    static let type = TensorType.bf16
    static let byteCount = 2
    static let fileType: UInt32? = 32
    static let limit: Float = 0x1.fefffep127

    @inline(__always)
    static func value(_ elements: UnsafeRawPointer, _ index: Int) -> Float { Float(brainAt: elements + 2 * index) }

    @inline(__always)
    static func store(_ value: Float, to elements: UnsafeMutableRawPointer, _ index: Int) {
        elements.storeBytes(of: value.brainBits.littleEndian, toByteOffset: 2 * index, as: UInt16.self)
    }
}

// MARK: Conversions, the same on every platform

extension Float {
    /// Element `index` of unaligned f32 values.
    @inline(__always)
    init(at elements: UnsafeRawPointer, _ index: Int) {
        self.init(bitPattern: UInt32(littleEndian: elements.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
    }

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

    /// The bits of the nearest f16, ties to even; overflow is infinity.
    package var halfBits: UInt16 {
        let sign = UInt16(truncatingIfNeeded: bitPattern >> 16) & 0x8000
        let magnitude = bitPattern & 0x7fff_ffff
        let rounded: UInt32
        switch magnitude {
        case 0x7f80_0001...: rounded = 0x7e00 | magnitude >> 13 & 0x1ff
        case 0x477f_f000...: rounded = 0x7c00  // 65520 and above
        case 0x3880_0000...: rounded = (magnitude + 0xfff + (magnitude >> 13 & 1) - 0x3800_0000) >> 13
        // Below 2⁻¹⁴: adding ½ rounds to a multiple of 2⁻²⁴ and leaves it in the low bits.
        default: rounded = (Float(bitPattern: magnitude) + 0.5).bitPattern - 0x3f00_0000
        }
        return sign | UInt16(truncatingIfNeeded: rounded)
    }

    /// The value of the bf16 at an address.
    @inline(__always)
    init(brainAt address: UnsafeRawPointer) {
        self.init(bitPattern: UInt32(UInt16(littleEndian: address.loadUnaligned(as: UInt16.self))) << 16)
    }

    /// The bits of the nearest bf16, ties to even, of a value up to ``BF16/limit``.
    fileprivate var brainBits: UInt16 {
        UInt16(truncatingIfNeeded: (bitPattern + 0x7fff + (bitPattern >> 16 & 1)) >> 16)
    }
}
