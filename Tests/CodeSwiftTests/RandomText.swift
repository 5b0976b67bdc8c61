// Texts to sort and search: random, repetitive and degenerate.

/// A generator with a seed, so that a failure can be repeated (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

/// Texts over small alphabets.
enum RandomText {
    /// A text of up to `limit` symbols below `alphabet`; every third repeats a short period, every fifth a long one with
    /// changes, as code does.
    static func make(_ trial: Int, limit: Int, alphabet: Int, _ generator: inout SeededGenerator) -> [Int32] {
        let count = Int.random(in: 0...limit, using: &generator)
        var text = (0..<count).map { _ in Int32.random(in: 0..<Int32(alphabet), using: &generator) }
        if trial % 3 == 0, count > 4 {
            let period = Int.random(in: 1...4, using: &generator)
            for index in period..<count { text[index] = text[index - period] }
        } else if trial % 5 == 0, count > 20 {
            let period = count / 3
            for index in period..<count where Int.random(in: 0..<12, using: &generator) > 0 {
                text[index] = text[index - period]
            }
        }
        return text
    }

    /// The Fibonacci word, the worst case of many algorithms on repetitive texts.
    static func fibonacci(_ count: Int) -> [Int32] {
        var previous: [Int32] = [1]
        var word: [Int32] = [0]
        while word.count < count { (previous, word) = (word, word + previous) }
        return Array(word.prefix(count))
    }
}
