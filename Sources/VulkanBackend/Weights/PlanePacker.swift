// Taking rows of quantised weights apart into planes.

import GGUF
import Tensors

/// Packs rows of one type, some at a time.
struct PlanePacker {
    private let layout: PlaneLayout
    private let groups: Int
    private var row: UnpackedRow
    /// The quantum of each byte pattern, without the offset.
    private let quanta: [UInt8]
    /// What was packed since ``removeAll()``, row after row.
    private(set) var low: [UInt8] = [], high: [UInt8] = [], scales: [UInt8] = [], factors: [UInt16] = []

    /// A packer of rows of `columns` elements.
    init?(_ type: TensorType, columns: Int) {
        guard let layout = PlaneLayout(type), let row = UnpackedRow(type, count: columns) else { return nil }
        self.layout = layout
        self.row = row
        groups = columns / 32
        quanta = (0..<256).map { pattern in
            let value = Int8(bitPattern: UInt8(pattern))
            if layout.codebook.isEmpty { return UInt8(truncatingIfNeeded: Int(value) - layout.offset) }
            return UInt8(layout.codebook.firstIndex(of: value) ?? 0)
        }
    }

    /// Forgets what was packed.
    mutating func removeAll() {
        low.removeAll(keepingCapacity: true)
        high.removeAll(keepingCapacity: true)
        scales.removeAll(keepingCapacity: true)
        factors.removeAll(keepingCapacity: true)
    }

    /// Packs the row that begins at `source`.
    mutating func append(_ source: UnsafeRawPointer) {
        row.unpack(source)
        for group in 0..<groups {
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { buffer in
                for i in 0..<32 { buffer[i] = quanta[Int(UInt8(bitPattern: row.quanta[32 * group + i]))] }
                appendLow(buffer)
                appendHigh(buffer)
            }
            guard layout.isSuper else { continue }
            for values in layout.hasMinimum ? [row.scales, row.minima] : [row.scales] {
                for half in 0..<layout.scales { scales.append(UInt8(truncatingIfNeeded: values[2 * group + half])) }
            }
        }
        for (factor, minimum) in zip(row.factors, row.minimumFactors) {
            factors.append(bits(factor))
            if layout.hasMinimum { factors.append(bits(minimum)) }
        }
    }

    private func bits(_ factor: Float) -> UInt16 {
        layout.hasWideFactors ? UInt16(truncatingIfNeeded: factor.bitPattern >> 16) : factor.halfBits
    }

    private mutating func appendLow(_ quanta: UnsafeMutableBufferPointer<UInt8>) {
        switch layout.lowBits {
        case 8: low += quanta
        case 4: for i in 0..<16 { low.append(quanta[i] & 15 | quanta[i + 16] << 4) }
        default: for i in 0..<8 { low.append(Self.pairs(quanta, i, shift: 0)) }
        }
    }

    private mutating func appendHigh(_ quanta: UnsafeMutableBufferPointer<UInt8>) {
        let shift = UInt8(layout.lowBits)
        switch layout.highBits {
        case 1:
            for byte in 0..<4 {
                high.append((0..<8).reduce(0) { $0 | (quanta[4 * $1 + byte] >> shift & 1) << UInt8($1) })
            }
        case 2: for i in 0..<8 { high.append(Self.pairs(quanta, i, shift: shift)) }
        default: break
        }
    }

    /// Two bits each of the quanta i, i + 8, i + 16 and i + 24.
    private static func pairs(_ quanta: UnsafeMutableBufferPointer<UInt8>, _ i: Int, shift: UInt8) -> UInt8 {
        (0..<4).reduce(0) { $0 | (quanta[i + 8 * $1] >> shift & 3) << UInt8(2 * $1) }
    }
}
