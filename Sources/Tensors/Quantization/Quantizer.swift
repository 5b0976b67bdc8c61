// How values are brought into a tensor type.

package import InferGGUF

/// Converts rows of floats to a tensor type.
///
/// Quantised types are searched for the least squared error, block by block, without any knowledge of what the values
/// are multiplied with. The result depends on nothing but the values.
package struct Quantizer: Sendable {
    /// Why values cannot be converted: the end of a sentence that begins with the tensor's name.
    package enum Fault: String, Error {
        case notFinite = "contains NaN or infinity"
        case tooLarge = "contains values too large for the type"
    }

    /// The type that is written.
    package let type: TensorType
    /// Converts whole blocks of finite values; false when they are too large.
    private let convert: @Sendable (_ count: Int, UnsafePointer<Float>, UnsafeMutableRawPointer) -> Bool
    /// The largest magnitude that may be passed on.
    private let limit: Float

    /// Weighted sums over values up to this, and their squares, stay finite. f16 factors end before it.
    private static let searchLimit: Float = 0x1p32

    /// A quantiser to `type`; nil where there is none.
    package init?(_ type: TensorType) {
        switch type {
        case .f32:
            self.init(type, limit: .greatestFiniteMagnitude) { count, values, elements in
                for i in 0..<count {
                    elements.storeBytes(of: values[i].bitPattern.littleEndian, toByteOffset: 4 * i, as: UInt32.self)
                }
                return true
            }
        case .f16:
            self.init(type, limit: 0x1.ffdffep15) { count, values, elements in
                for i in 0..<count {
                    elements.storeBytes(of: values[i].halfBits.littleEndian, toByteOffset: 2 * i, as: UInt16.self)
                }
                return true
            }
        case .bf16:
            self.init(type, limit: 0x1.fefffep127) { count, values, elements in
                for i in 0..<count {
                    elements.storeBytes(of: values[i].brainBits.littleEndian, toByteOffset: 2 * i, as: UInt16.self)
                }
                return true
            }
        case .q4_0: self.init(type, Q4_0.self)
        case .q4_1: self.init(type, Q4_1.self)
        case .q5_0: self.init(type, Q5_0.self)
        case .q5_1: self.init(type, Q5_1.self)
        case .q8_0: self.init(type, Q8_0.self)
        case .iq4_nl: self.init(type, IQ4_NL.self)
        case .mxfp4: self.init(type, MXFP4.self)
        case .q2_K: self.init(type, Q2_K.self)
        case .q3_K: self.init(type, Q3_K.self)
        case .q4_K: self.init(type, Q4_K.self)
        case .q5_K: self.init(type, Q5_K.self)
        case .q6_K: self.init(type, Q6_K.self)
        case .iq4_xs: self.init(type, IQ4_XS.self)
        default: return nil
        }
    }

    private init(
        _ type: TensorType, limit: Float,
        _ convert: @escaping @Sendable (Int, UnsafePointer<Float>, UnsafeMutableRawPointer) -> Bool
    ) {
        self.type = type
        self.limit = limit
        self.convert = convert
    }

    private init<Format: BlockQuantizing>(_ type: TensorType, _: Format.Type) {
        self.init(type, limit: Self.searchLimit) { count, values, elements in
            let lanes = UnsafeRawPointer(values).assumingMemoryBound(to: Lanes.self)
            for block in 0..<count / Format.blockSize {
                let first = lanes + block * (Format.blockSize / Lanes.scalarCount)
                guard Format.quantize(first, into: elements + block * Format.byteCount) else { return false }
            }
            return true
        }
    }

    /// Writes `count` values, whole blocks that begin at a multiple of 64 bytes, to `elements`; says why it cannot.
    package func quantize(
        _ count: Int, _ values: UnsafePointer<Float>, into elements: UnsafeMutableRawPointer
    ) -> Fault? {
        var largest: UInt32 = 0
        // As integers, the magnitudes of floats have the same order, infinity and NaN last.
        for i in 0..<count { largest = max(largest, values[i].bitPattern & 0x7fff_ffff) }
        guard largest < Float.infinity.bitPattern else { return .notFinite }
        guard largest <= limit.bitPattern, convert(count, values, elements) else { return .tooLarge }
        return nil
    }
}

extension Float {
    /// The nearest bf16, ties to even, of a value that has one.
    fileprivate var brainBits: UInt16 {
        UInt16(truncatingIfNeeded: (bitPattern + 0x7fff + (bitPattern >> 16 & 1)) >> 16)
    }
}
