// How each supported tensor type is read: its dequantiser, and what its products take as input.

package import InferGGUF

/// Writes the f32 values of `count` elements.
private typealias Dequantizer =
    @Sendable (
        _ count: Int, _ elements: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>
    ) -> Void

/// The properties of tensor types that computing needs.
package struct TensorFormat: Sendable {
    /// How the inputs of products with such weights are given.
    package let input: InputFormat
    /// Elements and bytes of a block.
    package let blockSize: Int, blockBytes: Int
    private let dequantizer: Dequantizer

    /// The format of a type, or nil where it is not supported.
    package init?(_ type: TensorType) {
        switch type {
        case .f32:
            self.init(.float) { count, elements, values in
                for i in 0..<count { values[i] = Float(at: elements, i) }
            }
        case .f16:
            self.init(.float, bytes: 2) { count, elements, values in
                for i in 0..<count { values[i] = Float(halfAt: elements + 2 * i) }
            }
        case .bf16:
            self.init(.float, bytes: 2) { count, elements, values in
                for i in 0..<count { values[i] = Float(brainAt: elements + 2 * i) }
            }
        case .q4_0: self.init(Q4_0.self)
        case .q4_1: self.init(Q4_1.self)
        case .q5_0: self.init(Q5_0.self)
        case .q5_1: self.init(Q5_1.self)
        case .q8_0: self.init(Q8_0.self)
        case .iq4_nl: self.init(IQ4_NL.self)
        case .mxfp4: self.init(MXFP4.self)
        case .q2_K: self.init(Q2_K.self)
        case .q3_K: self.init(Q3_K.self)
        case .q4_K: self.init(Q4_K.self)
        case .q5_K: self.init(Q5_K.self)
        case .q6_K: self.init(Q6_K.self)
        case .iq4_xs: self.init(IQ4_XS.self)
        default: return nil
        }
    }

    /// All supported types.
    package static let supportedTypes: [TensorType] = [
        .f32, .f16, .bf16, .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q2_K, .q3_K, .q4_K, .q5_K, .q6_K, .iq4_nl, .iq4_xs,
        .mxfp4,
    ]

    private init(_ input: InputFormat, bytes: Int = 4, _ dequantizer: @escaping Dequantizer) {
        self.input = input
        blockSize = 1
        blockBytes = bytes
        self.dequantizer = dequantizer
    }

    private init<Format: BlockFormat32>(_: Format.Type) {
        input = .blocks32
        blockSize = 32
        blockBytes = Format.byteCount
        dequantizer = { Format.dequantize($0, $1, into: $2) }
    }

    private init<Format: BlockFormat256>(_: Format.Type) {
        input = .blocks256
        blockSize = 256
        blockBytes = Format.byteCount
        dequantizer = { Format.dequantize($0, $1, into: $2) }
    }

    /// Writes the f32 values of `count` elements, whole blocks, that start at `elements`; exactly as the format defines
    /// them.
    package func dequantize(_ count: Int, _ elements: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
        dequantizer(count, elements, values)
    }
}

extension Float {
    /// Element `index` of unaligned f32 values.
    @inline(__always)
    init(at elements: UnsafeRawPointer, _ index: Int) {
        self.init(bitPattern: UInt32(littleEndian: elements.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
    }

    /// The value of the bf16 at an address.
    @inline(__always)
    init(brainAt address: UnsafeRawPointer) {
        self.init(bitPattern: UInt32(UInt16(littleEndian: address.loadUnaligned(as: UInt16.self))) << 16)
    }
}
