// What product kernels read their inputs as.

/// What a product kernel reads its input rows as.
package enum InputFormat: Sendable, CaseIterable {
    /// f32 values.
    case float
    /// Blocks of 32: ``Block32``.
    case blocks32
    /// Blocks of 256: ``Block256``.
    case blocks256

    /// Byte offsets in `si_input_32`; the scale comes first.
    package enum Block32 {
        package static let scaledSum = 4, sum = 8, values = 12, byteCount = 44
    }

    /// Byte offsets in `si_input_256`; the scale comes first.
    package enum Block256 {
        package static let sums = 4, sums32 = 36, values = 52, byteCount = 308
    }

    /// Bytes of a row of `columns` values.
    package func rowBytes(_ columns: Int) -> Int {
        switch self {
        case .float: columns * 4
        case .blocks32: (columns + 31) / 32 * Block32.byteCount
        case .blocks256: (columns + 255) / 256 * Block256.byteCount
        }
    }
}
