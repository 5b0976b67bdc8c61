// A stable hash of a vocabulary.

import InferGGUF

extension VocabularyDescription {
    /// 64-bit FNV-1a over everything that decides which ids a text gets. The same file gives the same value on any
    /// machine.
    var fingerprint: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        func add(_ value: Int) {
            for shift in stride(from: 0, to: 64, by: 8) { add(UInt8(truncatingIfNeeded: value >> shift)) }
        }
        for text in [model, preTokenizer ?? ""] {
            add(text.utf8.count)
            for byte in text.utf8 { add(byte) }
        }
        for strings in [tokens, merges ?? .init()] {
            add(strings.count)
            for string in strings { add(string.count) }
            for byte in strings.bytes { add(byte) }
        }
        for type in types.prefix(tokens.count) { add(type) }
        for score in scores.prefix(tokens.count) { add(Int(score.bitPattern)) }
        return hash
    }
}
