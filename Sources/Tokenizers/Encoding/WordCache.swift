// Words that were encoded before, with their tokens.

/// A fixed number of short words and what they become. Each word has one place, by its hash; the newest there stays.
///
/// Text repeats its words so much that nearly all of them are found here, which takes a fraction of the time of merging.
struct WordCache {
    /// A word's bytes and their number: equal keys, equal words.
    struct Key: Equatable {
        private(set) var low: UInt64
        private(set) var high: UInt64

        /// Bytes that fit; the last byte of the key is the length.
        private static let longestWord = 15

        /// The key of a word; nil for an empty one and for one that is too long to be kept.
        @inline(__always)
        init?(_ word: UnsafeRawBufferPointer) {
            let count = word.count
            guard count > 0, count <= Self.longestWord else { return nil }
            func long(_ offset: Int) -> UInt64 {
                UInt64(littleEndian: word.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            }
            func half(_ offset: Int) -> UInt64 {
                UInt64(UInt32(littleEndian: word.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            }
            high = 0
            // Two loads that overlap see every byte, whatever the length.
            if count >= 8 {
                low = long(0)
                if count > 8 { high = long(count - 8) >> UInt64(8 * (16 - count)) }
            } else if count >= 4 {
                low = half(0) | half(count - 4) << UInt64(8 * (count - 4))
            } else {
                let middle = count / 2
                low = UInt64(word[0]) | UInt64(word[middle]) << UInt64(8 * middle)
                low |= UInt64(word[count - 1]) << UInt64(8 * (count - 1))
            }
            high |= UInt64(count) << 56
        }

        fileprivate init() { (low, high) = (0, 0) }

        fileprivate var hash: UInt64 {
            let mixed = (low ^ high &* 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
            return (mixed ^ mixed >> 32) &* 0xD6E8_FEB8_6659_FD93
        }
    }

    /// A word, and up to four tokens; the first negative one ends them.
    private struct Slot {
        var key = Key()
        var tokens = SIMD4<Int32>(repeating: -1)
    }

    private static let mostSlots = 1 << 13
    private var slots: [Slot]

    /// A cache that suits a text of `count` bytes; none at all for a short one.
    init(byteCount count: Int) {
        var size = 0
        if count >= 2048 {
            size = 256
            while size < Self.mostSlots, size < count / 8 { size *= 2 }
        }
        slots = Array(repeating: Slot(), count: size)
    }

    /// Appends the tokens of a word, if it is here.
    @inline(__always)
    func append(_ key: Key, to output: inout [TokenID]) -> Bool {
        guard !slots.isEmpty else { return false }
        let slot = slots[Int(truncatingIfNeeded: key.hash >> 32) & (slots.count - 1)]
        guard slot.key == key else { return false }
        for index in 0..<4 {
            guard slot.tokens[index] >= 0 else { break }
            output.append(slot.tokens[index])
        }
        return true
    }

    /// Keeps a word with its tokens, if they are few.
    mutating func insert(_ key: Key, _ tokens: ArraySlice<TokenID>) {
        guard !slots.isEmpty, tokens.count <= 4 else { return }
        var slot = Slot()
        slot.key = key
        for (index, token) in tokens.enumerated() { slot.tokens[index] = token }
        slots[Int(truncatingIfNeeded: key.hash >> 32) & (slots.count - 1)] = slot
    }
}
