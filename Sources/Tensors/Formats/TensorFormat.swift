// The registration of tensor types: one table with all that this library knows about each type.

package import InferGGUF

/// Everything that reading, writing and multiplying tensors of one type needs.
///
/// A type is registered once, in ``all``. Its own file in this folder states its blocks, unpacking and quantising; the
/// rest of the library asks the registration. Look a format up when a matrix or a converter is made, never per row.
package struct TensorFormat: Sendable {
    /// Every supported type. To add one, see "Adding a type" in `Kernels/README.md`.
    package static let all: [TensorFormat] = [
        .init(F32.self), .init(F16.self), .init(BF16.self),
        .init(Q4_0.self), .init(Q4_1.self), .init(Q5_0.self), .init(Q5_1.self), .init(Q8_0.self),
        .init(Q2_K.self), .init(Q3_K.self), .init(Q4_K.self), .init(Q5_K.self), .init(Q6_K.self),
        .init(IQ4_NL.self), .init(IQ4_XS.self), .init(MXFP4.self),
    ]

    private static let formats = Dictionary(uniqueKeysWithValues: all.map { ($0.type, $0) })

    /// All supported types, in the order of ``all``.
    package static let supportedTypes = all.map(\.type)

    /// The format of a type; nil if the type is not supported.
    package init?(_ type: TensorType) {
        guard let format = Self.formats[type] else { return nil }
        self = format
    }

    /// The format of a type by its name, such as `q4_k`, in upper or lower case; nil if there is none of that name.
    package init?(named name: String) {
        guard let format = Self.all.first(where: { $0.name == name.lowercased() }) else { return nil }
        self = format
    }

    // MARK: Properties

    /// The type in the file format, which also has its name.
    package let type: TensorType
    /// What products with such weights take as input.
    package let input: InputFormat
    /// Elements and bytes of a block. A float is a block of one element.
    package let blockSize: Int, blockBytes: Int
    /// The fields of a block; nil for floats.
    package let layout: BlockLayout?
    /// The number of the type in the metadata key `general.file_type` (`llama_ftype`); nil if there is none.
    package let fileType: UInt32?
    /// The type to use instead for rows that are not whole blocks of this type; nil if there is none.
    package let shorterType: TensorType?
    /// The scalar product kernel, which reads the rows of a file.
    let referenceProduct: ProductKernel
    /// Converts values to this type; nil if the type can only be read.
    let writer: Writer?
    /// Takes a row of this type apart; nil for floats.
    let unpackRow: UnpackedRow.Unpack?
    /// The implementation of ``dequantize(_:_:into:)``.
    let dequantizer: Dequantizer

    /// The name on the command line, such as `q4_k`.
    package var name: String { type.description.lowercased() }

    /// Writes the f32 values of `count` elements, whole blocks, that start at `elements`; exactly as the format defines
    /// them.
    package func dequantize(_ count: Int, _ elements: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
        dequantizer(count, elements, values)
    }

    // MARK: Implementation

    /// Writes the f32 values of `count` elements.
    typealias Dequantizer =
        @Sendable (_ count: Int, _ elements: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>) -> Void

    /// Converts values to a type.
    struct Writer: Sendable {
        /// The largest magnitude that `convert` accepts.
        let limit: Float
        /// Converts `count` finite values, whole blocks; returns false when they are too large for the type.
        let convert:
            @Sendable (_ count: Int, _ values: UnsafePointer<Float>, _ elements: UnsafeMutableRawPointer) -> Bool

        /// For values up to this limit, weighted sums of the values and of their squares are finite. f16 factors
        /// overflow earlier.
        private static let searchLimit: Float = 0x1p32

        init<Format: FloatFormat>(_: Format.Type) {
            limit = Format.limit
            convert = { count, values, elements in
                for i in 0..<count { Format.store(values[i], to: elements, i) }
                return true
            }
        }

        init<Format: BlockQuantizing>(_: Format.Type) {
            limit = Self.searchLimit
            convert = { count, values, elements in
                let lanes = UnsafeRawPointer(values).assumingMemoryBound(to: Lanes.self)
                for block in 0..<count / Format.blockSize {
                    let first = lanes + block * (Format.blockSize / Lanes.scalarCount)
                    guard Format.quantize(first, into: elements + block * Format.byteCount) else { return false }
                }
                return true
            }
        }
    }

    private init<Format: FloatFormat>(_: Format.Type) {
        type = Format.type
        input = .float
        blockSize = 1
        blockBytes = Format.byteCount
        layout = nil
        fileType = Format.fileType
        shorterType = nil
        referenceProduct = { ReferenceKernels.multiply($0, Format.self) }
        writer = Writer(Format.self)
        unpackRow = nil
        dequantizer = { count, elements, values in
            for i in 0..<count { values[i] = Format.value(elements, i) }
        }
    }

    /// A type with blocks of 32 that can be read but not written.
    private init<Format: BlockFormat32>(_: Format.Type, writer: Writer? = nil) {
        assert(Format.byteCount == Format.type.blockBytes && Format.blockSize == Format.type.blockSize)
        assert(Format.layout.scaledGroup == nil && Format.layout.hasMinimum == Format.hasMinimum)
        type = Format.type
        input = .blocks32
        blockSize = Format.blockSize
        blockBytes = Format.byteCount
        layout = Format.layout
        fileType = Format.fileType
        shorterType = Format.shorterType
        referenceProduct = { ReferenceKernels.multiply($0, Format.self) }
        self.writer = writer
        unpackRow = { UnpackedRow.unpack(&$0, $1, Format.self) }
        dequantizer = { Format.dequantize($0, $1, into: $2) }
    }

    /// A type with super-blocks of 256 that can be read but not written.
    private init<Format: BlockFormat256>(_: Format.Type, writer: Writer? = nil) {
        assert(Format.byteCount == Format.type.blockBytes && Format.blockSize == Format.type.blockSize)
        assert(Format.layout.scaledGroup != nil && Format.layout.hasMinimum == Format.hasMinima)
        type = Format.type
        input = .blocks256
        blockSize = Format.blockSize
        blockBytes = Format.byteCount
        layout = Format.layout
        fileType = Format.fileType
        shorterType = Format.shorterType
        referenceProduct = { ReferenceKernels.multiply($0, Format.self) }
        self.writer = writer
        unpackRow = { UnpackedRow.unpack(&$0, $1, Format.self) }
        dequantizer = { Format.dequantize($0, $1, into: $2) }
    }

    /// A type with blocks of 32 that can be read and written.
    private init<Format: BlockFormat32 & BlockQuantizing>(_: Format.Type) {
        self.init(Format.self, writer: Writer(Format.self))
    }

    /// A type with super-blocks of 256 that can be read and written.
    private init<Format: BlockFormat256 & BlockQuantizing>(_: Format.Type) {
        self.init(Format.self, writer: Writer(Format.self))
    }
}
