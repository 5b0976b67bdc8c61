// A row of quantised values, taken apart: for backends that keep weights in a layout of their own.

package import InferGGUF

/// The integers and factors of a row, in order.
///
/// A value is scale · q (+ minimum) in types with blocks of 32, and d · s · q (− d′ · m) in types with super-blocks, where s
/// and m belong to a group of 16.
package struct UnpackedRow {
    /// One per element; for types with a table of values, the value.
    package private(set) var quanta: [Int8]
    /// s and m, one per group of 16; zeros in types with blocks of 32.
    package private(set) var scales: [Int16], minima: [Int16]
    /// Scale or d, and minimum or d′, one per block or super-block.
    package private(set) var factors: [Float], minimumFactors: [Float]
    private let unpackRow: @Sendable (inout UnpackedRow, UnsafeRawPointer) -> Void

    /// Room for rows of `count` elements; nil where the type is not quantised or not known.
    package init?(_ type: TensorType, count: Int) {
        switch type {
        case .q4_0: self.init(Q4_0.self, count)
        case .q4_1: self.init(Q4_1.self, count)
        case .q5_0: self.init(Q5_0.self, count)
        case .q5_1: self.init(Q5_1.self, count)
        case .q8_0: self.init(Q8_0.self, count)
        case .iq4_nl: self.init(IQ4_NL.self, count)
        case .mxfp4: self.init(MXFP4.self, count)
        case .q2_K: self.init(Q2_K.self, count)
        case .q3_K: self.init(Q3_K.self, count)
        case .q4_K: self.init(Q4_K.self, count)
        case .q5_K: self.init(Q5_K.self, count)
        case .q6_K: self.init(Q6_K.self, count)
        case .iq4_xs: self.init(IQ4_XS.self, count)
        default: return nil
        }
    }

    private init<Format: BlockFormat32>(_: Format.Type, _ count: Int) {
        self.init(count: count, blocks: count / 32) { row, source in
            for block in 0..<count / 32 {
                (row.factors[block], row.minimumFactors[block]) = row.quanta.withUnsafeMutableBufferPointer {
                    $0.baseAddress.map { Format.unpack(source + block * Format.byteCount, into: $0 + 32 * block) }
                        ?? (0, 0)
                }
            }
        }
    }

    private init<Format: BlockFormat256>(_: Format.Type, _ count: Int) {
        self.init(count: count, blocks: count / 256) { row, source in
            Format.withBuffers { quanta, scales, minima in
                for block in 0..<count / 256 {
                    (row.factors[block], row.minimumFactors[block]) = Format.unpack(
                        source + block * Format.byteCount, into: quanta, scales: scales, minima: minima)
                    for i in 0..<256 { row.quanta[256 * block + i] = quanta[i] }
                    for group in 0..<16 {
                        row.scales[16 * block + group] = scales[group]
                        if Format.hasMinima { row.minima[16 * block + group] = minima[group] }
                    }
                }
            }
        }
    }

    private init(
        count: Int, blocks: Int, _ unpackRow: @escaping @Sendable (inout UnpackedRow, UnsafeRawPointer) -> Void
    ) {
        quanta = [Int8](repeating: 0, count: count)
        scales = [Int16](repeating: 0, count: count / 16)
        minima = scales
        factors = [Float](repeating: 0, count: blocks)
        minimumFactors = factors
        self.unpackRow = unpackRow
    }

    /// Takes apart the row that begins at `source`.
    package mutating func unpack(_ source: UnsafeRawPointer) { unpackRow(&self, source) }

    /// The sixteen values that a type's nibbles stand for; empty where they are plain numbers.
    package static func codebook(_ type: TensorType) -> [Int8] {
        switch type {
        case .iq4_nl, .iq4_xs: (0..<16).map(IQ4_NL.value)
        case .mxfp4: (0..<16).map(MXFP4.value)
        default: []
        }
    }
}
