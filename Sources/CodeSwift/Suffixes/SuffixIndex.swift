// Looking up patterns and their continuations in one suffix array.

package import InferTokenizers

/// Tokens, their sorted suffixes, and for every token the suffixes that begin with it.
///
/// The memory may be a mapped file with any content: every value is checked before it is used as an index, and a wrong
/// one gives wrong continuations, never a fault. Suffixes that begin with the separator are left out, and no
/// continuation crosses one.
///
/// Sendable because nothing writes to the memory.
package struct SuffixIndex: @unchecked Sendable {
    /// Keeps the memory.
    private let owner: AnyObject
    /// The memory, for those who keep the index.
    let view: SuffixView

    init(
        owner: AnyObject, tokens: TokenBuffer, suffixes: UnsafeBufferPointer<UInt32>,
        buckets: UnsafeBufferPointer<UInt32>
    ) {
        self.owner = owner
        view = SuffixView(tokens: tokens, suffixes: suffixes, buckets: buckets)
    }

    var tokens: TokenBuffer { view.tokens }
    var suffixes: UnsafeBufferPointer<UInt32> { view.suffixes }

    /// Whether both are of the same memory.
    func isSame(as other: SuffixIndex) -> Bool { owner === other.owner }

    /// Number of tokens, separators included.
    package var tokenCount: Int { tokens.count }

    /// The position in the tokens of the suffix at `index`.
    func position(_ index: Int) -> Int { view.position(index) }

    /// The token at `position`; the separator beyond the end.
    package func tokenAt(_ position: Int) -> TokenID { TokenID(bitPattern: tokens[position]) }

    /// The token `offset` tokens after the start of the suffix at `index`.
    private func token(_ index: Int, _ offset: Int) -> UInt32 { tokens[position(index) &+ offset] }

    /// The occurrences of a single token.
    package func range(of token: TokenID) -> SuffixRange? {
        let bucket = view.bucket(token)
        return bucket.isEmpty ? nil : SuffixRange(lower: bucket.lowerBound, upper: bucket.upperBound, length: 1)
    }

    /// Those of the occurrences in `range` that go on with `token`.
    package func refine(_ range: SuffixRange, by token: TokenID) -> SuffixRange? {
        guard let wanted = UInt32(exactly: token), wanted < tokens.separator else { return nil }
        let lower = firstIndex(from: range.lower, to: range.upper, offset: range.length) { $0 >= wanted }
        guard lower < range.upper, self.token(lower, range.length) == wanted else { return nil }
        let upper = gallop(from: lower, to: range.upper, offset: range.length, past: wanted)
        return SuffixRange(lower: lower, upper: upper, length: range.length + 1)
    }

    /// The occurrences of `pattern`; nil where there are none.
    package func find(_ pattern: some Sequence<TokenID>) -> SuffixRange? {
        var iterator = pattern.makeIterator()
        guard let first = iterator.next(), var range = range(of: first) else { return nil }
        while let token = iterator.next() {
            guard let longer = refine(range, by: token) else { return nil }
            range = longer
        }
        return range
    }

    /// The occurrences of the longest ending of `text` that occurs; nil where not even the last token does.
    package func longestEnding(of text: some BidirectionalCollection<TokenID>) -> SuffixRange? {
        // An ending occurs only where all shorter ones do.
        var longest: SuffixRange?
        var start = text.endIndex
        while start > text.startIndex {
            start = text.index(before: start)
            guard let range = find(text[start...]) else { break }
            longest = range
        }
        return longest
    }

    /// The first index in lower..<upper whose token at `offset` satisfies `condition`, or `upper`.
    private func firstIndex(from lower: Int, to upper: Int, offset: Int, where condition: (UInt32) -> Bool) -> Int {
        var lower = lower
        var upper = upper
        while lower < upper {
            let middle = lower &+ (upper &- lower) / 2
            if condition(token(middle, offset)) { upper = middle } else { lower = middle &+ 1 }
        }
        return lower
    }

    /// The first index after `lower`, where `token` stands at `offset`, that has a larger token there, or `upper`.
    private func gallop(from lower: Int, to upper: Int, offset: Int, past token: UInt32) -> Int {
        var lower = lower
        var step = 1
        while step < upper - lower, self.token(lower + step, offset) <= token {
            lower += step
            step *= 2
        }
        return firstIndex(from: lower + 1, to: min(lower + step, upper), offset: offset) { $0 > token }
    }
}

extension SuffixIndex {
    /// Occurrences of a pattern up to this number are all read.
    static let exhaustiveLimit = 48
    /// Occurrences read of a more frequent pattern, evenly spaced.
    static let sampleCount = 32

    /// Appends the most frequent continuations of the occurrences in `range` to `result`, most frequent first, then by
    /// token. Tokens at positions in `excluded` do not count.
    ///
    /// Of ranges of more than 48 occurrences 32 are read, which takes the same time for any store: the counts are
    /// estimates then, and rare continuations can be missing.
    ///
    /// - Parameter limit: The most to append.
    package func continuations(
        of range: SuffixRange, limit: Int, excluding excluded: PositionSet? = nil, into result: inout [Continuation]
    ) {
        let reads = range.count > Self.exhaustiveLimit ? Self.sampleCount : range.count
        var found: [Continuation] = []
        for read in 0..<reads {
            let place = position(range.lower + range.count * read / reads) &+ range.length
            // Nothing after a separator, and nothing a damaged file makes up, is a token.
            guard case let next = tokens[place], next < tokens.separator, excluded?.contains(place) != true else {
                continue
            }
            let token = TokenID(bitPattern: next)
            // Suffixes are sorted, so equal continuations are neighbours.
            if found.last?.token != token { found.append(Continuation(token: token, count: 0)) }
            found[found.count - 1].count += 1
        }
        for index in found.indices { found[index].count = found[index].count * range.count / reads }
        found.sort { ($0.count, $1.token) > ($1.count, $0.token) }
        result += found.prefix(limit)
    }
}

/// The memory of a ``SuffixIndex``. Copies cost nothing, and nothing keeps the memory: whoever has one keeps the index.
struct SuffixView: BitwiseCopyable {
    let tokens: TokenBuffer
    let suffixes: UnsafeBufferPointer<UInt32>
    /// One entry per token of the vocabulary, and one more.
    let buckets: UnsafeBufferPointer<UInt32>

    /// The position in the tokens of the suffix at `index`.
    func position(_ index: Int) -> Int { Int(suffixes[index]) }

    /// Indices of the suffixes that begin with `token`, which is empty for what is no token.
    func bucket(_ token: TokenID) -> Range<Int> {
        guard token >= 0, Int(token) + 1 < buckets.count else { return 0..<0 }
        let lower = Int(buckets[Int(token)])
        let upper = min(Int(buckets[Int(token) + 1]), suffixes.count)
        return lower < upper ? lower..<upper : 0..<0
    }
}

/// The suffixes, neighbours in the suffix array, that begin with one and the same pattern.
package struct SuffixRange: Hashable, Sendable, BitwiseCopyable {
    /// Index of the first suffix.
    package var lower: Int
    /// Index after the last suffix.
    package var upper: Int
    /// Tokens in the pattern.
    package var length: Int

    /// Number of occurrences.
    package var count: Int { upper - lower }
}

/// One way in which occurrences of a pattern go on.
package struct Continuation: Hashable, Sendable, BitwiseCopyable {
    /// The token that follows.
    package var token: TokenID
    /// How many of the occurrences it follows; estimated for patterns that occur often.
    package var count: Int
}
