// Sets of tokens as bits.

/// A set of tokens: one bit for each token of a vocabulary.
package struct TokenMask: Sendable, Hashable {
    /// The bits, 64 tokens a word, the lowest bit first.
    package private(set) var words: [UInt64]
    /// The number of tokens of the vocabulary.
    package let tokenCount: Int

    /// No token of a vocabulary of `tokenCount`.
    package init(tokenCount: Int) {
        self.tokenCount = tokenCount
        words = Array(repeating: 0, count: (tokenCount + 63) / 64)
    }

    /// Whether `token` is an element.
    package func contains(_ token: Int32) -> Bool {
        token >= 0 && Int(token) < tokenCount && words[Int(token) >> 6] >> UInt64(token & 63) & 1 != 0
    }

    /// Adds a token of the vocabulary.
    package mutating func insert(_ token: Int32) { words[Int(token) >> 6] |= 1 << UInt64(token & 63) }

    /// Removes all tokens.
    package mutating func removeAll() {
        for word in words.indices { words[word] = 0 }
    }

    /// Adds the tokens of `other`, a set of the same vocabulary.
    package mutating func formUnion(_ other: TokenMask) {
        for word in words.indices { words[word] |= other.words[word] }
    }

    /// The logits of a row with −∞ for all tokens that are no elements.
    ///
    /// - Parameter logits: One value per token of the vocabulary.
    package func restricting(_ logits: UnsafeBufferPointer<Float>) -> [Float] {
        [Float](unsafeUninitializedCapacity: logits.count) { result, count in
            result.initialize(repeating: -.infinity)
            for (index, word) in words.enumerated() where word != 0 && index << 6 < logits.count {
                let tokens = index << 6..<min(index << 6 + 64, logits.count)
                if word == .max {
                    for token in tokens { result[token] = logits[token] }
                } else {
                    for token in tokens where word >> UInt64(token & 63) & 1 != 0 { result[token] = logits[token] }
                }
            }
            count = logits.count
        }
    }

    /// The number of tokens.
    package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Whether there is no token.
    package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// The tokens in ascending order.
    package var tokens: [Int32] {
        var tokens: [Int32] = []
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                tokens.append(Int32(index << 6 | rest.trailingZeroBitCount))
                rest &= rest - 1
            }
        }
        return tokens
    }
}
