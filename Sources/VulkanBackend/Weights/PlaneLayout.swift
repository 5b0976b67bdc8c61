// How the device keeps weights of a type: as planes of bits, integer scales and factors.

import InferGGUF
import InferTensors

/// The planes of a quantised type: see Kernels/Vulkan/README.md, "Planes". A group is 32 consecutive elements of a row.
struct PlaneLayout {
    /// Bits of a quantum in the low plane: 2, 4 or 8.
    let lowBits: Int
    /// Bits in the high plane: 0, 1 or 2.
    let highBits: Int
    /// What is added to the quantum that the planes hold.
    let offset: Int
    /// Values that quanta are indices into; empty for plain quanta.
    let codebook: [Int8]
    /// Whether groups have integer scales and eight of them share factors.
    let isSuper: Bool
    /// Whether there are minima beside scales.
    let hasMinimum: Bool
    /// Integer scales of a group: none, one, or one for each half.
    let scales: Int
    /// Whether factors are the upper halves of f32, not f16.
    let hasWideFactors: Bool

    private init(
        _ lowBits: Int, _ highBits: Int = 0, offset: Int = 0, codebook: [Int8] = [], superScales: Int = 0,
        minimum: Bool = false, wide: Bool = false
    ) {
        self.lowBits = lowBits
        self.highBits = highBits
        self.offset = offset
        self.codebook = codebook
        isSuper = superScales > 0
        hasMinimum = minimum
        scales = superScales
        hasWideFactors = wide
    }

    /// The planes of a type, or nil where it is not quantised or not known.
    init?(_ type: TensorType) {
        switch type {
        case .q4_0: self.init(4, offset: -8)
        case .q4_1: self.init(4, minimum: true)
        case .q5_0: self.init(4, 1, offset: -16)
        case .q5_1: self.init(4, 1, minimum: true)
        case .q8_0: self.init(8)
        case .iq4_nl: self.init(4, codebook: UnpackedRow.codebook(type))
        case .mxfp4: self.init(4, codebook: UnpackedRow.codebook(type), wide: true)
        case .q2_K: self.init(2, superScales: 2, minimum: true)
        case .q3_K: self.init(2, 1, offset: -4, superScales: 2)
        case .q4_K: self.init(4, superScales: 1, minimum: true)
        case .q5_K: self.init(4, 1, superScales: 1, minimum: true)
        case .q6_K: self.init(4, 2, offset: -32, superScales: 2)
        case .iq4_xs: self.init(4, codebook: UnpackedRow.codebook(type), superScales: 1)
        default: return nil
        }
    }

    /// Bytes of a group in the low plane.
    var lowBytes: Int { 4 * lowBits }
    /// Bytes of a group in the high plane.
    var highBytes: Int { 4 * highBits }
    /// Bytes of a group's integer scales and minima.
    var scaleBytes: Int { hasMinimum ? 2 * scales : scales }
    /// Bytes of one factor, or of factor and minimum.
    var factorBytes: Int { hasMinimum ? 4 : 2 }
    /// Groups that share factors.
    var factorGroups: Int { isSuper ? 8 : 1 }

    /// The shaders' constants with identifiers 0 to 7.
    var constants: [UInt32] {
        let book: UInt32 = codebook.isEmpty ? 0 : hasWideFactors ? 2 : 1
        return [
            UInt32(lowBits), UInt32(highBits), UInt32(bitPattern: Int32(offset)), book, isSuper ? 1 : 0,
            hasMinimum ? 1 : 0, UInt32(max(1, scales)), hasWideFactors ? 1 : 0,
        ]
    }
}
