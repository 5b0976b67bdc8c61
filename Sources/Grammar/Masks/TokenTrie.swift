// The tokens of a vocabulary, prepared for grammars.

/// The tokens of a vocabulary by their bytes. Made once per vocabulary, in some tenths of a second; shared by all grammars.
package final class TokenTrie: Sendable {
    /// Longer tokens are never allowed.
    private static let maximumTokenLength = 512

    /// The number of tokens of the vocabulary.
    package let tokenCount: Int
    /// The tokens that end the text.
    package let endTokens: [Int32]
    /// The tokens with bytes that do not end the text.
    let trie: ByteTrie
    /// The bytes of all tokens.
    let bytes: [UInt8]
    private let starts: [Int32]

    /// The trie of a vocabulary.
    ///
    /// - Parameters:
    ///   - tokens: The bytes of each token, in the order of ids. Control tokens and other marks are no text: their bytes are empty, and no
    ///     grammar allows them.
    ///   - endTokens: The tokens that end the text. They are allowed where it is complete.
    package init(tokens: some Collection<some Collection<UInt8>>, endTokens: [Int32]) {
        var bytes: [UInt8] = []
        var starts: [Int32] = [0]
        starts.reserveCapacity(tokens.count + 1)
        for token in tokens {
            bytes.append(contentsOf: token)
            starts.append(Int32(bytes.count))
        }
        tokenCount = tokens.count
        let ends = Set(endTokens).filter { (0..<Int32(starts.count - 1)).contains($0) }
        self.endTokens = ends.sorted()
        var entries: [(token: Int32, range: Range<Int>)] = []
        for token in 0..<Int32(tokens.count) where !ends.contains(token) {
            let range = Int(starts[Int(token)])..<Int(starts[Int(token) + 1])
            if (1...Self.maximumTokenLength).contains(range.count) { entries.append((token, range)) }
        }
        trie = ByteTrie(entries, of: bytes)
        (self.bytes, self.starts) = (bytes, starts)
    }

    /// Where the bytes of `token`, a token of the vocabulary, are.
    func range(of token: Int32) -> Range<Int> { Int(starts[Int(token)])..<Int(starts[Int(token) + 1]) }

    /// The bytes of `token`; empty for marks, for tokens that are too long, and outside the vocabulary.
    func bytes(of token: Int32) -> ArraySlice<UInt8> {
        guard token >= 0, Int(token) < tokenCount else { return [] }
        let range = range(of: token)
        return range.count <= Self.maximumTokenLength ? bytes[range] : []
    }
}
