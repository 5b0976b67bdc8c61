// Transitions of an automaton by state and token.

import InferTokenizers

/// An open-addressing hash table from (state, token) to the number of a transition.
struct EdgeTable {
    private struct Slot {
        var key: UInt64
        var edge: Int32
    }

    private static let free = UInt64.max
    private var slots = [Slot](repeating: Slot(key: free, edge: 0), count: 256)
    private var count = 0

    func find(_ state: Int32, _ token: TokenID) -> Int32? {
        let slot = slots[slot(of: Self.key(state, token))]
        return slot.key == Self.free ? nil : slot.edge
    }

    /// Adds a transition that is not in the table.
    mutating func insert(_ state: Int32, _ token: TokenID, _ edge: Int32) {
        if (count + 1) * 2 > slots.count { grow() }
        let key = Self.key(state, token)
        slots[slot(of: key)] = Slot(key: key, edge: edge)
        count += 1
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(key: Self.free, edge: 0), count: old.count * 2)
        for slot in old where slot.key != Self.free { slots[self.slot(of: slot.key)] = slot }
    }

    private static func key(_ state: Int32, _ token: TokenID) -> UInt64 {
        UInt64(UInt32(bitPattern: state)) << 32 | UInt64(UInt32(bitPattern: token))
    }

    private func slot(of key: UInt64) -> Int {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: ((key ^ key >> 32) &* 0x9E37_79B9_7F4A_7C15) >> 20) & mask
        while slots[index].key != key, slots[index].key != Self.free { index = (index + 1) & mask }
        return index
    }
}
