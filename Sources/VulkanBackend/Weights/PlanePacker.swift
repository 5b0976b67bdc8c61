// Splitting rows of quantised weights into planes, on all cores.

import InferGGUF
import InferSupport
import InferTensors
import Synchronization

/// Packs rows of one type, one at a time.
struct PlanePacker {
    private let layout: PlaneLayout
    private let groups: Int
    private var row: UnpackedRow
    /// For each value of an unpacked element, as a byte pattern, the quantum without the offset.
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

    /// The beginnings of the planes of some rows.
    struct Target {
        var low, high, scales, factors: UnsafeMutableRawPointer
    }

    /// Packs the row at `source` as row `number` of the rows at `target`.
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

    /// Two bits of each of the quanta i, i + 8, i + 16 and i + 24.
    private static func pairs(_ quanta: UnsafeMutableBufferPointer<UInt8>, _ i: Int, shift: UInt8) -> UInt8 {
        var byte: UInt8 = 0
        for quarter in 0..<4 {
            let pair: UInt8 = quanta[i + 8 * quarter] >> shift & 3
            byte |= pair << UInt8(2 * quarter)
        }
        return byte
    }
}

/// A packer for each thread of a pool.
final class PlanePackers {
    /// Rows that a thread packs at once.
    private static let rows = 16

    private let pool: ThreadPool
    private let packers: UnsafeMutableBufferPointer<PlanePacker>

    init(_ packer: PlanePacker, on pool: ThreadPool) {
        self.pool = pool
        packers = .allocate(capacity: pool.threads)
        packers.initialize(repeating: packer)
    }

    /// Calls `body` with a packer and each number below `count`, on all threads.
    func forEach(_ count: Int, _ body: (inout PlanePacker, Int) -> Void) {
        pool.run((count + Self.rows - 1) / Self.rows) { chunk, thread in
            for row in chunk * Self.rows..<min((chunk + 1) * Self.rows, count) { body(&packers[thread], row) }
        }
    }

    deinit {
        packers.deinitialize()
        packers.deallocate()
    }
}

/// The threads that pack planes. They are started when the first weights are loaded.
final class LoadingPool: Sendable {
    private let threads = Mutex<ThreadPool?>(nil)

    /// Packers for the rows of a tensor.
    func packers(of tensor: TensorInfo) throws(InferenceError) -> PlanePackers {
        let pool = try pool()
        guard let packer = PlanePacker(tensor.type, columns: tensor.columns) else {
            throw VulkanBackend.unsupported(tensor)
        }
        return PlanePackers(packer, on: pool)
    }

    private func pool() throws(InferenceError) -> ThreadPool {
        try threads.withLock { threads throws(InferenceError) in
            if let threads { return threads }
            let fresh = try ThreadPool(threads: ProcessorCount.usable)
            threads = fresh
            return fresh
        }
    }
}
