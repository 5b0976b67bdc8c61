// Taking rows of quantised weights apart into planes.

import InferGGUF
import InferTensors

/// Packs rows of one type, one at a time.
struct PlanePacker {
    private let layout: PlaneLayout
    private let groups: Int
    private var row: UnpackedRow
    /// The quantum of each byte pattern, without the offset.
    private let quanta: [UInt8]

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

    /// Where the planes of some rows begin.
    struct Target {
        var low, high, scales, factors: UnsafeMutableRawPointer
    }

    /// Packs the row that begins at `source` as row `number` of those at `target`.
    mutating func pack(_ source: UnsafeRawPointer, as number: Int, into target: Target) {
        row.unpack(source)
        let first = number * groups
        let low = (target.low + first * layout.lowBytes).assumingMemoryBound(to: UInt8.self)
        let high = (target.high + first * layout.highBytes).assumingMemoryBound(to: UInt8.self)
        let scales = (target.scales + first * layout.scaleBytes).assumingMemoryBound(to: UInt8.self)
        let factors = target.factors + first / layout.factorGroups * layout.factorBytes
        row.quanta.withUnsafeBufferPointer { source in
            quanta.withUnsafeBufferPointer { quanta in
                withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { group in
                    for index in 0..<groups {
                        for i in 0..<32 { group[i] = quanta[Int(UInt8(bitPattern: source[32 * index + i]))] }
                        packLow(group, into: low + index * layout.lowBytes)
                        packHigh(group, into: high + index * layout.highBytes)
                    }
                }
            }
        }
        if layout.isSuper { packScales(into: scales) }
        packFactors(into: factors.assumingMemoryBound(to: UInt16.self))
    }

    private func packScales(into scales: UnsafeMutablePointer<UInt8>) {
        var place = 0
        for group in 0..<groups {
            for values in layout.hasMinimum ? [row.scales, row.minima] : [row.scales] {
                for half in 0..<layout.scales {
                    scales[place] = UInt8(truncatingIfNeeded: values[2 * group + half])
                    place += 1
                }
            }
        }
    }

    private func packFactors(into factors: UnsafeMutablePointer<UInt16>) {
        let step = layout.hasMinimum ? 2 : 1
        for (index, factor) in row.factors.enumerated() {
            factors[step * index] = bits(factor)
            if layout.hasMinimum { factors[step * index + 1] = bits(row.minimumFactors[index]) }
        }
    }

    private func bits(_ factor: Float) -> UInt16 {
        layout.hasWideFactors ? UInt16(truncatingIfNeeded: factor.bitPattern >> 16) : factor.halfBits
    }

    private func packLow(_ quanta: UnsafeMutableBufferPointer<UInt8>, into low: UnsafeMutablePointer<UInt8>) {
        switch layout.lowBits {
        case 8: for i in 0..<32 { low[i] = quanta[i] }
        case 4: for i in 0..<16 { low[i] = quanta[i] & 15 | quanta[i + 16] << 4 }
        default: for i in 0..<8 { low[i] = Self.pairs(quanta, i, shift: 0) }
        }
    }

    private func packHigh(_ quanta: UnsafeMutableBufferPointer<UInt8>, into high: UnsafeMutablePointer<UInt8>) {
        let shift = UInt8(layout.lowBits)
        switch layout.highBits {
        case 1:
            for byte in 0..<4 {
                high[byte] = (0..<8).reduce(0) { $0 | (quanta[4 * $1 + byte] >> shift & 1) << UInt8($1) }
            }
        case 2: for i in 0..<8 { high[i] = Self.pairs(quanta, i, shift: shift) }
        default: break
        }
    }

    /// Two bits each of the quanta i, i + 8, i + 16 and i + 24.
    private static func pairs(_ quanta: UnsafeMutableBufferPointer<UInt8>, _ i: Int, shift: UInt8) -> UInt8 {
        (0..<4).reduce(0) { $0 | (quanta[i + 8 * $1] >> shift & 3) << UInt8(2 * $1) }
    }
}
