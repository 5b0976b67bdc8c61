// The merges of a byte-pair vocabulary, by the ids of the two halves.

/// An open-addressing hash table from pairs of symbol ids to what they merge to.
struct MergeTable: Sendable {
    private struct Slot: Sendable { var pair: UInt64, rank: Int32, symbol: Int32 }

    private static let free = UInt64.max
    private var slots: [Slot]
    private let shift: Int
    private let factor = UInt64.random(in: .min ... .max) | 1

    /// An empty table with room for `capacity` merges.
    init(capacity: Int) {
        var bits = 4
        while 1 << bits < capacity * 2 { bits += 1 }
        shift = 64 - bits
        slots = Array(repeating: Slot(pair: Self.free, rank: 0, symbol: 0), count: 1 << bits)
    }

    /// Adds a merge; the first one of a pair counts.
    mutating func insert(_ left: Int32, _ right: Int32, _ merge: Merge) {
        let pair = Self.pair(left, right)
        let slot = slot(of: pair)
        if slots[slot].pair == Self.free { slots[slot] = Slot(pair: pair, rank: merge.rank, symbol: merge.symbol) }
    }

    func find(_ left: Int32, _ right: Int32) -> Merge? {
        let slot = slots[slot(of: Self.pair(left, right))]
        return slot.pair == Self.free ? nil : Merge(rank: slot.rank, symbol: slot.symbol)
    }

    private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    private func slot(of pair: UInt64) -> Int {
        var index = Int(truncatingIfNeeded: ((pair ^ pair >> 29) &* factor) >> UInt64(shift))
        while slots[index].pair != pair, slots[index].pair != Self.free { index = (index + 1) & (slots.count - 1) }
        return index
    }
}
