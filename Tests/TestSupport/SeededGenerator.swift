// Random numbers, values and token texts that are the same in every run.

/// A generator with a seed: SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators",
/// 2014).
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(_ seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    /// `count` values in −range...range.
    package mutating func floats(_ count: Int, range: Float = 1) -> [Float] {
        (0..<count).map { _ in Float.random(in: -range...range, using: &self) }
    }

    /// `count` tokens below `alphabet`. About half of the text is copied from earlier in the text.
    package mutating func text(_ count: Int, alphabet: Int32) -> [Int32] {
        var text: [Int32] = []
        while text.count < count {
            if text.count > 4, Bool.random(using: &self) {
                let start = Int.random(in: 0..<text.count, using: &self)
                text += text[start..<min(start + Int.random(in: 1...12, using: &self), text.count)]
            } else {
                text.append(Int32.random(in: 0..<alphabet, using: &self))
            }
        }
        return Array(text.prefix(count))
    }
}

/// Token texts for tests of sorting and searching: random, periodic, and worst cases.
package enum RandomText {
    /// Up to `limit` tokens below `alphabet`. If `trial` is a multiple of 3, the text has a short period; otherwise, if it is
    /// a multiple of 5, it has a long period with random changes, as code does.
    package static func make(
        _ trial: Int, limit: Int, alphabet: Int, _ generator: inout SeededGenerator
    ) -> [Int32] {
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
    package static func fibonacci(_ count: Int) -> [Int32] {
        var previous: [Int32] = [1]
        var word: [Int32] = [0]
        while word.count < count { (previous, word) = (word, word + previous) }
        return Array(word.prefix(count))
    }
}
