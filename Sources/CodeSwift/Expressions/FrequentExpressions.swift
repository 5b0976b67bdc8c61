// The token sequences that a corpus repeats most.

package import InferSupport
package import InferTokenizers

/// The most valuable repeated sequences of a corpus, as a small corpus that can replace the whole.
///
/// A repeat that cannot be extended without losing occurrences corresponds to an interval of the suffix array's longest
/// common prefixes (Abouelhoda, Kurtz & Ohlebusch, "Replacing suffix trees with enhanced suffix arrays", 2004). Each
/// repeat is trimmed to boundaries: line ends and brackets. Those with the largest count × length are taken, unless
/// most of their tokens are covered by those taken before.
package struct FrequentExpressions {
    /// Which sequences are taken.
    package struct Options: Sendable {
        /// Minimum number of occurrences.
        package var leastCount = 3
        /// Minimum number of tokens.
        package var leastLength = 4
        /// Maximum number of tokens. Longer repeats are parts of similar files.
        package var mostLength = 96
        /// Maximum total number of tokens, as a fraction of the corpus.
        package var share = 0.05

        package init() {}
    }

    /// A sequence, given by its occurrences.
    private struct Expression {
        /// The suffixes that begin with the repeat.
        var suffixes: Range<Int32>
        /// Number of tokens of the repeat before the sequence.
        var skipped: Int32
        var length: Int32

        var score: Int { suffixes.count * Int(length) }
    }

    private let index: SuffixIndex
    private let boundaries: TokenBoundaries
    private let options: Options

    /// Collects the expressions of the corpus of `index`, most valuable first. Each becomes a document, with its number
    /// of occurrences as the name.
    ///
    /// - Throws: ``InferenceError`` as ``Corpus/append(_:name:)`` does.
    package static func corpus(
        of index: SuffixIndex, vocabularyCount: Int, boundaries: TokenBoundaries, options: Options = Options()
    ) throws(InferenceError) -> Corpus {
        try FrequentExpressions(index: index, boundaries: boundaries, options: options).corpus(vocabularyCount)
    }

    /// Collects the expressions of `store`. Verifies the whole store first, because the result gets new checksums.
    ///
    /// - Throws: ``InferenceError`` with `malformedDatastore` for a damaged store, or as ``Corpus/append(_:name:)``
    ///   does.
    package static func corpus(
        of store: Datastore, boundaries: TokenBoundaries, options: Options = Options()
    ) throws(InferenceError) -> Corpus {
        try store.verify()
        return try corpus(
            of: store.index, vocabularyCount: store.tokenizer.vocabularyCount, boundaries: boundaries, options: options)
    }

    private func corpus(_ vocabularyCount: Int) throws(InferenceError) -> Corpus {
        let result = Corpus(vocabularyCount: vocabularyCount)
        let covered = BitSet(count: index.tokenCount)
        let budget = Int(Double(index.tokenCount) * options.share)
        let all = expressions.sorted { ($0.score, $1.suffixes.lowerBound) > ($1.score, $0.suffixes.lowerBound) }
        for expression in all {
            let length = Int(expression.length)
            guard result.tokenCount + length < budget else { break }
            let places = expression.suffixes.lazy.map { index.position(Int($0)) + Int(expression.skipped) }
            // A few occurrences are enough to tell whether the sequence is mostly covered already.
            let sample = places.prefix(4).map { place in (place..<place + length).count { !covered.contains($0) } }
            guard 2 * sample.reduce(0, +) > sample.count * length, let first = places.first else { continue }
            for place in places { for position in place..<place + length { covered.insert(position) } }
            try result.append(
                (first..<first + length).map { index.tokenAt($0) }, name: Array("\(expression.suffixes.count)".utf8))
        }
        return result
    }

    /// All repeats, trimmed. The same sequence can appear several times, from different repeats.
    private var expressions: [Expression] {
        let lengths = commonPrefixes()
        var found: [Expression] = []
        var open: [(start: Int32, length: Int32)] = []
        for suffix in 1...max(lengths.count, 1) {
            let length = suffix < lengths.count ? lengths[suffix] : 0
            var start = Int32(suffix - 1)
            while let last = open.last, last.length > length {
                open.removeLast()
                start = last.start
                if let expression = cut(start..<Int32(suffix), Int(last.length)) { found.append(expression) }
            }
            if length >= options.leastLength, open.last.map({ $0.length < length }) ?? true {
                open.append((start, length))
            }
        }
        return found
    }

    /// For each suffix the number of tokens that it shares with the one before it, within a document and up to the
    /// maximum length (Kasai et al., "Linear-Time Longest-Common-Prefix Computation in Suffix Arrays and Its
    /// Applications", 2001).
    private func commonPrefixes() -> [Int32] {
        let count = index.suffixes.count
        var ranks = [Int32](repeating: -1, count: index.tokenCount)
        for suffix in 0..<count where index.position(suffix) < index.tokenCount {
            ranks[index.position(suffix)] = Int32(truncatingIfNeeded: suffix)
        }
        var lengths = [Int32](repeating: 0, count: count)
        var length = 0
        for position in 0..<index.tokenCount {
            let rank = Int(ranks[position])
            guard rank > 0 else {
                length = 0
                continue
            }
            let other = index.position(rank - 1)
            while length < options.mostLength, case let token = index.tokens[position + length],
                token < index.tokens.separator, token == index.tokens[other + length]
            {
                length += 1
            }
            lengths[rank] = Int32(length)
            length = max(length - 1, 0)
        }
        return lengths
    }

    /// A repeat of `length` tokens, trimmed to boundaries; nil if it becomes too short or occurs too rarely.
    private func cut(_ suffixes: Range<Int32>, _ length: Int) -> Expression? {
        guard suffixes.count >= options.leastCount else { return nil }
        let place = index.position(Int(suffixes.lowerBound))
        var first = place
        while first < place + length, first > 0, !boundaries.contains(index.tokenAt(first - 1)) { first += 1 }
        var end = place + length
        while end > first, !boundaries.contains(index.tokenAt(end - 1)) { end -= 1 }
        guard end - first >= options.leastLength else { return nil }
        return Expression(suffixes: suffixes, skipped: Int32(first - place), length: Int32(end - first))
    }
}

/// The tokens that end a line, or open or close a bracket. An expression begins after one of them and ends with one.
package struct TokenBoundaries: Sendable {
    private let isBoundary: [Bool]

    /// The boundaries in the vocabulary of `tokenizer`, by the bytes of the tokens.
    package init(_ tokenizer: Tokenizer) {
        let marks = Set("\n()[]{}".utf8)
        isBoundary = (0..<TokenID(tokenizer.count)).map { tokenizer.bytes(of: $0).contains { marks.contains($0) } }
    }

    /// The tokens that satisfy `condition`, in a vocabulary of `count` tokens.
    package init(count: Int, where condition: (TokenID) -> Bool) {
        isBoundary = (0..<TokenID(count)).map(condition)
    }

    /// Whether `token` is a boundary. Ids outside the vocabulary, such as the separator, are boundaries.
    func contains(_ token: TokenID) -> Bool { token < 0 || Int(token) >= isBoundary.count || isBoundary[Int(token)] }
}
