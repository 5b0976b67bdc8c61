// The token sequences that a corpus repeats most.

package import InferSupport
package import InferTokenizers

/// The repeated sequences of a corpus that are worth most, as a small corpus that can stand for the whole.
///
/// A sequence that occurs several times and cannot be longer without occurring less often is an interval of the suffix array's
/// longest common prefixes (Abouelhoda, Kurtz & Ohlebusch, "Replacing suffix trees with enhanced suffix arrays", 2004). Each is cut
/// at lines and brackets; those of the largest count × length are taken, as far as those taken before leave most of them uncovered.
package struct FrequentExpressions {
    /// What is taken.
    package struct Options: Sendable {
        /// The least number of occurrences.
        package var leastCount = 3
        /// The least number of tokens.
        package var leastLength = 4
        /// The most tokens; longer repeats are parts of files that are alike.
        package var mostLength = 96
        /// Tokens of all expressions together, as a share of the corpus.
        package var share = 0.05

        package init() {}
    }

    /// A sequence by one of its occurrences.
    private struct Expression {
        /// Where the suffixes that begin with it begin and end.
        var suffixes: Range<Int32>
        /// Tokens before it in the repeat that it was cut from.
        var skipped: Int32
        var length: Int32

        var score: Int { suffixes.count * Int(length) }
    }

    private let index: SuffixIndex
    private let boundaries: TokenBoundaries
    private let options: Options

    /// Gathers the expressions of the corpus that `index` is of, the most valuable first, each as a document named after its number of
    /// occurrences.
    ///
    /// - Throws: ``InferenceError`` as ``Corpus/append(_:name:)`` does.
    package static func corpus(
        of index: SuffixIndex, vocabularyCount: Int, boundaries: TokenBoundaries, options: Options = Options()
    ) throws(InferenceError) -> Corpus {
        try FrequentExpressions(index: index, boundaries: boundaries, options: options).corpus(vocabularyCount)
    }

    /// Gathers the expressions of `store` likewise, after checking all of it: what is made of it gets new checksums.
    ///
    /// - Throws: ``InferenceError`` with `malformedDatastore` for a damaged store, or as ``Corpus/append(_:name:)`` does.
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
            // A few occurrences tell whether it is a part of what was taken before.
            let sample = places.prefix(4).map { place in (place..<place + length).count { !covered.contains($0) } }
            guard 2 * sample.reduce(0, +) > sample.count * length, let first = places.first else { continue }
            for place in places { for position in place..<place + length { covered.insert(position) } }
            try result.append(
                (first..<first + length).map { index.tokenAt($0) }, name: Array("\(expression.suffixes.count)".utf8))
        }
        return result
    }

    /// All repeats, cut; the same sequence can be there several times, cut from several.
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

    /// For each suffix the tokens that it has in common with the one before it, within a document and up to the longest expression
    /// (Kasai et al., "Linear-Time Longest-Common-Prefix Computation in Suffix Arrays and Its Applications", 2001).
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

    /// A repeat of `length` tokens, cut; nil when too little is left, or it occurs too seldom.
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

/// Which tokens end a line, or open or close a bracket: behind them an expression may begin, and with them it may end.
package struct TokenBoundaries: Sendable {
    private let isBoundary: [Bool]

    /// The boundaries among the tokens of `tokenizer`, by their bytes.
    package init(_ tokenizer: Tokenizer) {
        let marks = Set("\n()[]{}".utf8)
        isBoundary = (0..<TokenID(tokenizer.count)).map { tokenizer.bytes(of: $0).contains { marks.contains($0) } }
    }

    /// The tokens of which `condition` holds, in a vocabulary of `count`.
    package init(count: Int, where condition: (TokenID) -> Bool) {
        isBoundary = (0..<TokenID(count)).map(condition)
    }

    /// Whether `token` is a boundary; what is no token, such as a separator, is one.
    func contains(_ token: TokenID) -> Bool { token < 0 || Int(token) >= isBoundary.count || isBoundary[Int(token)] }
}
