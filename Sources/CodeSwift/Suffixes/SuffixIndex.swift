// Looking up patterns in a suffix array.

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
