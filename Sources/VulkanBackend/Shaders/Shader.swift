// Shaders by name, their specialisation constants, and the parameters of a dispatch.

import CInferVulkanKernels

/// A shader in `Kernels/Vulkan/shaders`.
struct Shader: Hashable {
    /// Its number in `si_shader_name`.
    let number: UInt32

    private init(_ name: si_shader_name) { number = name.rawValue }

    static let activateRounded = Shader(SI_SHADER_activate_rounded)
    static let attendCombine = Shader(SI_SHADER_attend_combine)
    static let attendScores = Shader(SI_SHADER_attend_scores)
    static let attendValues = Shader(SI_SHADER_attend_values)
    static let blockMaxima = Shader(SI_SHADER_block_maxima)
    static let convolve = Shader(SI_SHADER_convolve)
    static let copyColumns = Shader(SI_SHADER_copy_columns)
    static let elementwise = Shader(SI_SHADER_elementwise)
    static let embed = Shader(SI_SHADER_embed)
    static let gather = Shader(SI_SHADER_gather)
    static let keepInputs = Shader(SI_SHADER_keep_inputs)
    static let moveSlots = Shader(SI_SHADER_move_slots)
    static let multiplyFloat = Shader(SI_SHADER_multiply_float)
    static let multiplyQuantized = Shader(SI_SHADER_multiply_quantized)
    static let normalize = Shader(SI_SHADER_normalize)
    static let quantize = Shader(SI_SHADER_quantize)
    static let rotate = Shader(SI_SHADER_rotate)
    static let route = Shader(SI_SHADER_route)
    static let scan = Shader(SI_SHADER_scan)
    static let shiftWindows = Shader(SI_SHADER_shift_windows)
    static let softmaxBlocks = Shader(SI_SHADER_softmax_blocks)
    static let softmaxSums = Shader(SI_SHADER_softmax_sums)
    static let store = Shader(SI_SHADER_store)
    static let topTokens = Shader(SI_SHADER_likeliest)

    /// Values of `OPERATION` in `elementwise.comp`; the first seven are also the kinds of activation in `activation.glsl`.
    enum ElementwiseFunction: UInt32 {
        case silu = 0
        case gelu = 1
        case clampedSwiGLU = 2
        case identity = 3
        case sigmoid = 4
        case softplus = 5
        case squaredReLU = 6
        case addScaled = 7
        case scale = 8
        case scaleRows = 9
        case softCap = 10
        case combineExperts = 11
        case addGroups = 12
        case decay = 13
    }

    /// Values of `GATING` in `route.comp`.
    enum Gating: UInt32 {
        case topThenSoftmax = 0
        case softmaxThenTop = 1
        case sigmoid = 2
        case all = 3
    }

    /// Values of `ELEMENT` in `elements.glsl` and `store.comp`.
    enum Element: UInt32 {
        case f32 = 0
        case f16 = 1
        case bf16 = 2
        /// Eight-bit integers with an f16 scale for each 32; keys and values only.
        case q8_0 = 3
    }

    /// Values of `CODEBOOK` in `weights.glsl`.
    enum Codebook: UInt32 {
        case none = 0
        case iq4_nl = 1
        case mxfp4 = 2
    }

    /// Values of `PAIRING` in `store.comp`.
    enum StoredPairing: UInt32 {
        case unrotated = 0
        case adjacent = 1
        case halves = 2
    }
}

/// A shader with its specialisation constants: what a pipeline is made from.
struct ShaderVariant: Hashable {
    let shader: Shader
    /// The constants with identifiers 0..<``constantCount``, then zeros.
    private(set) var constants = SIMD16<UInt32>()
    private(set) var constantCount = 0

    init(_ shader: Shader, _ constants: UInt32...) {
        self.shader = shader
        append(constants)
    }

    /// Adds the constants with the next identifiers.
    mutating func append(_ more: [UInt32]) {
        for constant in more {
            constants[constantCount] = constant
            constantCount += 1
        }
    }
}

/// Push constants: the parameters of a dispatch in the order in which the shader declares them, addresses first.
struct PushConstants {
    /// The size that every Vulkan device allows.
    static let largestByteCount = 128

    /// The first ``count`` words are in use.
    private(set) var words = SIMD32<UInt32>()
    private(set) var count = 0

    /// Addresses, then counts, then factors, then more counts.
    init(_ addresses: [UInt64], _ counts: [Int] = [], _ factors: [Float] = [], _ more: [Int] = []) {
        for address in addresses {
            append(UInt32(truncatingIfNeeded: address))
            append(UInt32(truncatingIfNeeded: address >> 32))
        }
        for count in counts { append(UInt32(truncatingIfNeeded: count)) }
        for factor in factors { append(factor.bitPattern) }
        for count in more { append(UInt32(truncatingIfNeeded: count)) }
    }

    private mutating func append(_ word: UInt32) {
        words[count] = word
        count += 1
    }
}

/// A run of a shader on x × y × z workgroups.
struct Dispatch {
    let shader: ShaderVariant
    let parameters: PushConstants
    let groups: (x: Int, y: Int, z: Int)

    init(_ shader: ShaderVariant, _ parameters: PushConstants, groups x: Int, _ y: Int = 1, _ z: Int = 1) {
        self.shader = shader
        self.parameters = parameters
        groups = (x, y, z)
    }
}
