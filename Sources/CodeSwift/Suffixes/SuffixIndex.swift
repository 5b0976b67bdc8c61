// Looking up patterns and their continuations in one suffix array.

public import InferTokenizers

/// A suffix array: tokens, their sorted suffixes, and for each token the range of suffixes that begin with it.
///
/// The memory may be a mapped file with arbitrary contents. Every value is checked before it is used as an index: a
/// wrong value gives wrong continuations, never a fault. The array does not contain suffixes that begin with the
/// separator, and no continuation crosses a separator.
///
/// Sendable because nothing writes to the memory.
package struct SuffixIndex: @unchecked Sendable {
    /// Keeps the memory alive.
    private let owner: AnyObject
    /// The memory itself. Use it only while the index exists.
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

    /// Whether both use the same memory.
    func isSame(as other: SuffixIndex) -> Bool { owner === other.owner }

    /// Number of tokens, including separators.
    package var tokenCount: Int { tokens.count }

    /// The position in the tokens where the suffix at `index` starts.
    func position(_ index: Int) -> Int { view.position(index) }

    /// The token at `position`; the separator if it is out of range.
    package func tokenAt(_ position: Int) -> TokenID { TokenID(bitPattern: tokens[position]) }

    /// The token `offset` tokens after the start of the suffix at `index`.
    private func token(_ index: Int, _ offset: Int) -> UInt32 { tokens[position(index) &+ offset] }

    /// The occurrences of a single token; nil if there are none.
    package func range(of token: TokenID) -> SuffixRange? {
        let bucket = view.bucket(token)
        return bucket.isEmpty ? nil : SuffixRange(lower: bucket.lowerBound, upper: bucket.upperBound, length: 1)
    }

    /// The occurrences in `range` that are followed by `token`; nil if there are none.
    package func refine(_ range: SuffixRange, by token: TokenID) -> SuffixRange? {
        guard let wanted = UInt32(exactly: token), wanted < tokens.separator else { return nil }
        let lower = firstIndex(from: range.lower, to: range.upper, offset: range.length) { $0 >= wanted }
        guard lower < range.upper, self.token(lower, range.length) == wanted else { return nil }
        let upper = gallop(from: lower, to: range.upper, offset: range.length, past: wanted)
        return SuffixRange(lower: lower, upper: upper, length: range.length + 1)
    }

    /// The occurrences of `pattern`; nil if there are none.
    package func find(_ pattern: some Sequence<TokenID>) -> SuffixRange? {
        var iterator = pattern.makeIterator()
        guard let first = iterator.next(), var range = range(of: first) else { return nil }
        while let token = iterator.next() {
            guard let longer = refine(range, by: token) else { return nil }
            range = longer
        }
        return range
    }

    /// The occurrences of the longest ending of `text` that occurs; nil if the last token does not occur.
    package func longestEnding(of text: some BidirectionalCollection<TokenID>) -> SuffixRange? {
        // An ending can occur only if all shorter endings occur.
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

    /// The first index after `lower` with a larger token at `offset` than `token`, which is the one at `lower`; or
    /// `upper`. Searches with doubling steps, then by bisection.
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
    /// Up to this number of occurrences, all are read.
    static let exhaustiveLimit = 48
    /// Number of evenly spaced occurrences that are read of a more frequent pattern.
    static let sampleCount = 32

    /// Appends the most frequent continuations of the occurrences in `range` to `result`: most frequent first, then by
    /// token. Tokens at positions in `excluded` are not counted.
    ///
    /// If the range has more than ``exhaustiveLimit`` occurrences, ``sampleCount`` of them are read, so the time does
    /// not depend on the size of the store. The counts are then estimates, and rare continuations can be missing.
    ///
    /// - Parameter limit: The maximum number of continuations to append.
    package func continuations(
        of range: SuffixRange, limit: Int, excluding excluded: PositionSet? = nil, into result: inout [Continuation]
    ) {
        let reads = range.count > Self.exhaustiveLimit ? Self.sampleCount : range.count
        var found: [Continuation] = []
        for read in 0..<reads {
            let place = position(range.lower + range.count * read / reads) &+ range.length
            // Separators and invalid values in a damaged file are not tokens.
            guard case let next = tokens[place], next < tokens.separator, excluded?.contains(place) != true else {
                continue
            }
            let token = TokenID(bitPattern: next)
            // Suffixes are sorted, so equal continuations are adjacent.
            if found.last?.token != token { found.append(Continuation(token: token, count: 0)) }
            found[found.count - 1].count += 1
        }
        for index in found.indices { found[index].count = found[index].count * range.count / reads }
        found.sort { ($0.count, $1.token) > ($1.count, $0.token) }
        result += found.prefix(limit)
    }
}

/// The memory of a ``SuffixIndex``, for inner loops. Copies are free and do not keep the memory alive: the user must
/// also hold the index.
struct SuffixView: BitwiseCopyable {
    let tokens: TokenBuffer
    let suffixes: UnsafeBufferPointer<UInt32>
    /// One entry per token of the vocabulary, plus one.
    let buckets: UnsafeBufferPointer<UInt32>

    /// The position in the tokens where the suffix at `index` starts.
    func position(_ index: Int) -> Int { Int(suffixes[index]) }

    /// The indices of the suffixes that begin with `token`; empty if `token` is not in the vocabulary.
    func bucket(_ token: TokenID) -> Range<Int> {
        guard token >= 0, Int(token) + 1 < buckets.count else { return 0..<0 }
        let lower = Int(buckets[Int(token)])
        let upper = min(Int(buckets[Int(token) + 1]), suffixes.count)
        return lower < upper ? lower..<upper : 0..<0
    }
}

/// The adjacent suffixes in a suffix array that begin with the same pattern.
package struct SuffixRange: Hashable, Sendable, BitwiseCopyable {
    /// Index of the first suffix.
    package var lower: Int
    /// Index after the last suffix.
    package var upper: Int
    /// Number of tokens in the pattern.
    package var length: Int

    /// Number of occurrences.
    package var count: Int { upper - lower }
}

/// A token that follows a pattern.
public struct Continuation: Hashable, Sendable, BitwiseCopyable {
    /// The token that follows.
    public var token: TokenID
    /// Number of occurrences that it follows; an estimate for frequent patterns.
    public var count: Int
}
