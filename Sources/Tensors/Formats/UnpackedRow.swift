// A row of quantised values, taken apart: for backends that store weights in a layout of their own.

package import InferGGUF

/// The integers and factors of a row, in order.
///
/// A value is scale · q (+ minimum) in types with blocks of 32, and d · s · q (− d′ · m) in types with super-blocks,
/// where s and m belong to a group of 16.
package struct UnpackedRow {
    /// Takes the row at an address apart.
    typealias Unpack = @Sendable (_ row: inout UnpackedRow, _ source: UnsafeRawPointer) -> Void

    /// The signed quanta, one per element; in types with a table, the value from the table.
    package private(set) var quanta: [Int8]
    /// s and m, one per group of 16; zeros in types with blocks of 32.
    package private(set) var scales: [Int16], minima: [Int16]
    /// Scale or d, and minimum or d′, one per block or super-block.
    package private(set) var factors: [Float], minimumFactors: [Float]
    private let unpackRow: Unpack

    /// Memory for rows of `count` elements; nil if the type is not quantised or not supported.
    package init?(_ type: TensorType, count: Int) {
        guard let format = TensorFormat(type), let unpackRow = format.unpackRow else { return nil }
        self.unpackRow = unpackRow
        quanta = [Int8](repeating: 0, count: count)
        scales = [Int16](repeating: 0, count: count / 16)
        minima = scales
        factors = [Float](repeating: 0, count: count / format.blockSize)
        minimumFactors = factors
    }

    /// Takes the row that begins at `source` apart.
    package mutating func unpack(_ source: UnsafeRawPointer) { unpackRow(&self, source) }

    // MARK: Implementation for the two kinds of blocks

    static func unpack<Format: BlockFormat32>(_ row: inout UnpackedRow, _ source: UnsafeRawPointer, _: Format.Type) {
        for block in row.factors.indices {
            (row.factors[block], row.minimumFactors[block]) = row.quanta.withUnsafeMutableBufferPointer {
                $0.baseAddress.map { Format.unpack(source + block * Format.byteCount, into: $0 + 32 * block) } ?? (0, 0)
            }
        }
    }

    static func unpack<Format: BlockFormat256>(_ row: inout UnpackedRow, _ source: UnsafeRawPointer, _: Format.Type) {
        Format.withBuffers { quanta, scales, minima in
            for block in row.factors.indices {
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
