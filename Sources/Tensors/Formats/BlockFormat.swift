// What the file of a quantised tensor type states: its blocks, and how values are converted to it.

import InferGGUF

/// A type whose elements are stored in blocks of quanta with factors.
protocol BlockFormat: SendableMetatype {
    /// The type in the file format.
    static var type: TensorType { get }
    /// Elements of a block.
    static var blockSize: Int { get }
    /// Bytes of a block.
    static var byteCount: Int { get }
    /// The fields of a block.
    static var layout: BlockLayout { get }
    /// See ``TensorFormat/fileType``.
    static var fileType: UInt32? { get }
    /// See ``TensorFormat/shorterType``.
    static var shorterType: TensorType? { get }
}

extension BlockFormat {
    static var shorterType: TensorType? { nil }
}

/// A type that values can be converted to.
protocol BlockQuantizing: BlockFormat {
    /// Writes the block that represents ``BlockFormat/blockSize`` finite values, with the least squared error that the
    /// search finds.
    ///
    /// - Returns: False when the values are too large for the block's factors; the block is then undefined.
    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool
}

/// The fields of a quantised type's blocks, from which a backend derives a weight layout of its own.
package struct BlockLayout: Sendable {
    /// Bits of a stored quantum. Quanta of 8 bits are stored signed, all others unsigned.
    package let quantumBits: Int
    /// The signed quantum is the stored one plus this.
    package let offset: Int
    /// The signed quantum of each stored one, in types whose stored quanta are indices into a table; else empty.
    package let codebook: [Int8]
    /// Elements under one integer scale in types with super-blocks: 16 or 32. Nil in types with blocks of 32.
    package let scaledGroup: Int?
    /// The byte offsets of a block's f16 factors: of the scale, then of the minimum if there is one. Empty when the
    /// scale is a power of two whose exponent is byte 0.
    package let factorOffsets: [Int]

    /// Whether there is a minimum beside each scale.
    package var hasMinimum: Bool { factorOffsets.count > 1 }

    init(bits: Int, offset: Int = 0, codebook: [Int8] = [], scaledGroup: Int? = nil, factorOffsets: [Int]) {
        quantumBits = bits
        self.offset = offset
        self.codebook = codebook
        self.scaledGroup = scaledGroup
        self.factorOffsets = factorOffsets
    }
}
