// A two-way table between byte strings and small integers.

/// Byte strings with ids from 0, and the id of a string by its content: an open-addressing hash table over one buffer.
///
/// The hash has a random seed, so nobody can make a file whose strings all collide.
struct StringTable: Sendable {
    private(set) var bytes: [UInt8] = []
    private struct Entry: Sendable { var start: Int, length: Int }
    private var entries: [Entry] = []
    /// Upper 32 bits: hash. Lower 32 bits: id + 1. A free slot is 0. The number of slots is a power of two.
    private var slots: [UInt64]
    private let seed: UInt64
    private var hasDuplicates = false
    /// Length of the longest string, in bytes.
    private(set) var longest = 0

    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = Array(repeating: 0, count: size)
        seed = UInt64.random(in: .min ... .max)
    }

    var count: Int { entries.count }

    /// The bytes of string `id` within ``bytes``.
    func range(of id: Int) -> Range<Int> { entries[id].start..<entries[id].start + entries[id].length }

    /// The id of the string `text[range]`; nil if the table does not have it.
    func find(_ text: [UInt8], _ range: Range<Int>) -> Int32? {
        guard range.count <= longest else { return nil }
        return lookUp(text, range, hash: hash(text, range)).id
    }

    func find(_ text: some Sequence<UInt8>) -> Int32? {
        let text = Array(text)
        return find(text, 0..<text.count)
    }

    /// Appends a string. If the table already has an equal string, `find` returns the new id from now on.
    mutating func append(_ text: [UInt8], _ range: Range<Int>) {
        let hash = hash(text, range)
        let slot = lookUp(text, range, hash: hash).slot
        store(text, range, slot: slot, hash: hash)
    }

    /// The id of the string. Appends the string if the table does not have it.
    mutating func intern(_ text: [UInt8], _ range: Range<Int>) -> Int32 {
        let hash = hash(text, range)
        let (id, slot) = lookUp(text, range, hash: hash)
        if let id { return id }
        store(text, range, slot: slot, hash: hash)
        return Int32(count - 1)
    }

    /// The id of the string. Appends the string if the table does not have it. Fast if the id is `guess` and all strings are
    /// different.
    mutating func intern(_ text: [UInt8], _ range: Range<Int>, guessing guess: Int32) -> Int32 {
        if !hasDuplicates, entries.indices.contains(Int(guess)), isEqual(Int(guess), text, range) { return guess }
        return intern(text, range)
    }

    private mutating func store(_ text: [UInt8], _ range: Range<Int>, slot: Int, hash: UInt64) {
        let isNew = slots[slot] == 0
        if !isNew { hasDuplicates = true }
        entries.append(Entry(start: bytes.count, length: range.count))
        bytes.append(contentsOf: text[range])
        longest = max(longest, range.count)
        slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(count)
        if isNew, count * 2 > slots.count { grow() }
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: 0, count: old.count * 2)
        for entry in old where entry != 0 {
            let range = range(of: Int(entry & 0xFFFF_FFFF) - 1)
            slots[lookUp(bytes, range, hash: hash(bytes, range)).slot] = entry
        }
    }

    private func lookUp(_ text: [UInt8], _ range: Range<Int>, hash: UInt64) -> (id: Int32?, slot: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            if (slots[slot] ^ hash) >> 32 == 0 {
                let id = Int(slots[slot] & 0xFFFF_FFFF) - 1
                if isEqual(id, text, range) { return (Int32(id), slot) }
            }
            slot = (slot + 1) & mask
        }
        return (nil, slot)
    }

    private func isEqual(_ id: Int, _ text: [UInt8], _ range: Range<Int>) -> Bool {
        guard entries[id].length == range.count else { return false }
        var own = entries[id].start
        for index in range {
            if bytes[own] != text[index] { return false }
            own += 1
        }
        return true
    }

    /// FNV-1a from a random basis. The final steps make both halves depend on every byte.
    private func hash(_ text: [UInt8], _ range: Range<Int>) -> UInt64 {
        var hash = seed
        for index in range { hash = (hash ^ UInt64(text[index])) &* 0x0000_0100_0000_01B3 }
        hash = (hash ^ hash >> 32) &* 0x9E37_79B9_7F4A_7C15
        return hash ^ hash >> 29
    }
}
