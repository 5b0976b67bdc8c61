// The longest match of a growing text in a suffix array.

package import Tokenizers

/// Keeps, while a text grows token by token, the occurrences of each of its endings: of the last token, of the last two,
/// and so on up to the longest ending that occurs.
///
/// A token refines each ending by itself, which takes few reads for the long ones, as they occur seldom. Endings known to
/// be missing from a look-up before are remembered by their hash.
package struct SuffixMatcher {
    /// What is searched.
    package let index: SuffixIndex
    /// The longest ending that is looked for.
    package let maximumLength: Int
    /// The occurrences of the endings, that of length 1 first.
    package private(set) var endings: [SuffixRange] = []
    /// Endings that do not occur.
    private var misses = MissTable()
    private let memo: RangeMemo?
    /// The last tokens of the text, the newest last.
    private var recent: [TokenID] = []

    /// A matcher at the beginning of a text.
    package init(_ index: SuffixIndex, maximumLength: Int = 24) {
        self.init(index, maximumLength: maximumLength, memo: nil)
    }

    /// A matcher that shares `memo` with others who look up the same ranges.
    init(_ index: SuffixIndex, maximumLength: Int = 24, memo: RangeMemo?) {
        self.index = index
        self.maximumLength = maximumLength
        self.memo = memo
    }

    /// Begins a new text.
    package mutating func reset() {
        endings.removeAll(keepingCapacity: true)
        recent.removeAll(keepingCapacity: true)
    }

    /// Begins a new text with `tokens`; only their end is looked at.
    package mutating func reset(to tokens: some BidirectionalCollection<TokenID>) {
        reset()
        // What lies further back cannot be part of an ending.
        for token in tokens.suffix(maximumLength) { append(token) }
    }

    /// Goes on with `token`.
    package mutating func append(_ token: TokenID) {
        if recent.count == maximumLength { recent.removeFirst() }
        recent.append(token)
        guard let first = index.range(of: token) else {
            endings.removeAll(keepingCapacity: true)
            return
        }
        // In place: ending i + 1 comes from ending i, so the longest must be refined first; but the shortest that is
        // missing ends the search. Hence a pass over the old values, each saved before it is replaced.
        var previous = first
        var length = 0
        var hash = MissTable.begin(token)
        while length < endings.count, length + 1 < maximumLength {
            hash = MissTable.extend(hash, recent[recent.count - length - 2])
            guard !misses.contains(hash) else { break }
            let longer =
                memo.map { $0.refine(endings[length], by: token) } ?? index.refine(endings[length], by: token)
            guard let longer else {
                misses.insert(hash)
                break
            }
            endings[length] = previous
            previous = longer
            length += 1
        }
        if length < endings.count {
            endings[length] = previous
            endings.removeLast(endings.count - length - 1)
        } else {
            endings.append(previous)
        }
    }
}
