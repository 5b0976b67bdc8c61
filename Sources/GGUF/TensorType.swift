// The element types of GGUF tensors, and how each is stored.

/// The element type of a tensor: plain numbers, or blocks of quantised values.
///
/// Identifiers, block sizes and names are those of the GGUF format (ggml's `ggml_type`).
public struct TensorType: RawRepresentable, Hashable, Sendable {
    /// The identifier in the file.
    public let rawValue: UInt32
    /// The type with this identifier, which may be unknown.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// IEEE 754 single precision.
    public static let f32 = TensorType(rawValue: 0)
    /// IEEE 754 half precision.
    public static let f16 = TensorType(rawValue: 1)
    /// 4 bits in blocks of 32: value = (q − 8) · d.
    public static let q4_0 = TensorType(rawValue: 2)
    /// 4 bits in blocks of 32: value = q · d + m.
    public static let q4_1 = TensorType(rawValue: 3)
    /// 5 bits in blocks of 32: value = (q − 16) · d.
    public static let q5_0 = TensorType(rawValue: 6)
    /// 5 bits in blocks of 32: value = q · d + m.
    public static let q5_1 = TensorType(rawValue: 7)
    /// 8 bits in blocks of 32: value = q · d.
    public static let q8_0 = TensorType(rawValue: 8)
    /// 2 bits in blocks of 256, each 16 with a 4-bit scale and minimum.
    public static let q2_K = TensorType(rawValue: 10)
    /// 3 bits in blocks of 256, each 16 with a 6-bit scale.
    public static let q3_K = TensorType(rawValue: 11)
    /// 4 bits in blocks of 256, each 32 with a 6-bit scale and minimum.
    public static let q4_K = TensorType(rawValue: 12)
    /// 5 bits in blocks of 256, each 32 with a 6-bit scale and minimum.
    public static let q5_K = TensorType(rawValue: 13)
    /// 6 bits in blocks of 256, each 16 with an 8-bit scale.
    public static let q6_K = TensorType(rawValue: 14)
    /// 4 bits in blocks of 32 that index a fixed table of 16 unevenly spaced levels.
    public static let iq4_nl = TensorType(rawValue: 20)
    /// 4 bits in blocks of 256 that index the table of ``iq4_nl``, each 32 with a 6-bit scale.
    public static let iq4_xs = TensorType(rawValue: 23)
    /// The upper half of a single-precision float.
    public static let bf16 = TensorType(rawValue: 30)
    /// 4-bit floats (E2M1) in blocks of 32 with a power-of-two scale (OCP Microscaling Formats 1.0).
    public static let mxfp4 = TensorType(rawValue: 39)

    private struct Layout { let name: String, blockSize: Int, blockBytes: Int }

    /// The layout of each type id, including types that this engine does not compute with. The format has withdrawn ids 4,
    /// 5, 31–33 and 36–38.
    private static let layouts: [Layout?] = [
        .init(name: "F32", blockSize: 1, blockBytes: 4),
        .init(name: "F16", blockSize: 1, blockBytes: 2),
        .init(name: "Q4_0", blockSize: 32, blockBytes: 18),
        .init(name: "Q4_1", blockSize: 32, blockBytes: 20),
        nil, nil,
        .init(name: "Q5_0", blockSize: 32, blockBytes: 22),
        .init(name: "Q5_1", blockSize: 32, blockBytes: 24),
        .init(name: "Q8_0", blockSize: 32, blockBytes: 34),
        .init(name: "Q8_1", blockSize: 32, blockBytes: 36),
        .init(name: "Q2_K", blockSize: 256, blockBytes: 84),
        .init(name: "Q3_K", blockSize: 256, blockBytes: 110),
        .init(name: "Q4_K", blockSize: 256, blockBytes: 144),
        .init(name: "Q5_K", blockSize: 256, blockBytes: 176),
        .init(name: "Q6_K", blockSize: 256, blockBytes: 210),
        .init(name: "Q8_K", blockSize: 256, blockBytes: 292),
        .init(name: "IQ2_XXS", blockSize: 256, blockBytes: 66),
        .init(name: "IQ2_XS", blockSize: 256, blockBytes: 74),
        .init(name: "IQ3_XXS", blockSize: 256, blockBytes: 98),
        .init(name: "IQ1_S", blockSize: 256, blockBytes: 50),
        .init(name: "IQ4_NL", blockSize: 32, blockBytes: 18),
        .init(name: "IQ3_S", blockSize: 256, blockBytes: 110),
        .init(name: "IQ2_S", blockSize: 256, blockBytes: 82),
        .init(name: "IQ4_XS", blockSize: 256, blockBytes: 136),
        .init(name: "I8", blockSize: 1, blockBytes: 1),
        .init(name: "I16", blockSize: 1, blockBytes: 2),
        .init(name: "I32", blockSize: 1, blockBytes: 4),
        .init(name: "I64", blockSize: 1, blockBytes: 8),
        .init(name: "F64", blockSize: 1, blockBytes: 8),
        .init(name: "IQ1_M", blockSize: 256, blockBytes: 56),
        .init(name: "BF16", blockSize: 1, blockBytes: 2),
        nil, nil, nil,
        .init(name: "TQ1_0", blockSize: 256, blockBytes: 54),
        .init(name: "TQ2_0", blockSize: 256, blockBytes: 66),
        nil, nil, nil,
        .init(name: "MXFP4", blockSize: 32, blockBytes: 17),
        .init(name: "NVFP4", blockSize: 64, blockBytes: 36),
        .init(name: "Q1_0", blockSize: 128, blockBytes: 18),
        .init(name: "Q2_0", blockSize: 64, blockBytes: 18),
    ]

    private var layout: Layout? {
        let index = Int(rawValue)
        return index < Self.layouts.count ? Self.layouts[index] : nil
    }

    /// Whether the format defines a layout for this id.
    public var isKnown: Bool { layout != nil }
    /// Number of consecutive elements of a row in one block; 1 for plain types, 0 for an unknown id.
    public var blockSize: Int { layout?.blockSize ?? 0 }
    /// Size of one block in bytes; 0 for an unknown id.
    public var blockBytes: Int { layout?.blockBytes ?? 0 }
}

extension TensorType: CustomStringConvertible {
    /// The format's name of the type, such as `Q4_K`.
    public var description: String { layout?.name ?? "type \(rawValue)" }
}

extension TensorType {
    /// The reason why a type and shape are invalid. It completes a sentence that begins with the tensor's name.
    struct ShapeFault: Error {
        let reason: String
    }

    /// Size in bytes of a tensor of this type with the extents `shape`, fastest-varying first; 0 if an extent is 0. No shape
    /// makes the computation overflow.
    func byteCount(ofShape shape: [Int]) throws(ShapeFault) -> Int {
        guard isKnown else { throw ShapeFault(reason: "has unknown type \(rawValue)") }
        guard let columns = shape.first, shape.count <= 4 else {
            throw ShapeFault(reason: "has \(shape.count) dimensions")
        }
        guard columns.isMultiple(of: blockSize) else {
            throw ShapeFault(reason: "has rows of \(columns), no multiple of the \(blockSize) of a \(self) block")
        }
        // The number of elements must fit into Int too, even if the number of bytes is smaller.
        var elements = 1
        for extent in shape {
            guard extent >= 0 else { throw ShapeFault(reason: "has a dimension of \(extent)") }
            // The other extents must fit even if one is 0: `rows` is their product without the first.
            let (product, overflow) = elements.multipliedReportingOverflow(by: max(1, extent))
            guard !overflow else { throw ShapeFault(reason: "has a shape, \(shape), whose product overflows") }
            elements = product
        }
        let (bytes, overflow) = (elements / blockSize).multipliedReportingOverflow(by: blockBytes)
        guard !overflow else { throw ShapeFault(reason: "has a shape, \(shape), whose size in bytes overflows") }
        return shape.contains(0) ? 0 : bytes
    }
}
