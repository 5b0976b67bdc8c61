// The endings of a growing text in a store.

import InferTokenizers

/// Keeps, while a text grows token by token, where each of its endings occurs: the last token, the last two, and so on up to the
/// longest ending that occurs.
///
/// A token extends each ending by itself, all of them in one batch of look-ups.
struct SuffixMatcher: ~Copyable {
    /// The longest ending that is looked for.
    let maximumLength: Int
    /// The endings that occur, that of length 1 first. Their spans come first in the search.
    private(set) var endings = FlatList<Pattern>(capacity: 32)
    private var next = FlatList<Pattern>(capacity: 32)

    /// A matcher at the beginning of a text.
    init(maximumLength: Int = 24) { self.maximumLength = maximumLength }

    /// Begins a new text with `tokens`; only their end is looked at.
    mutating func reset(to tokens: [TokenID], _ search: inout StoreSearch) {
        endings.truncate()
        search.keep(&endings)
        // What lies further back cannot be part of an ending.
        for token in tokens.suffix(maximumLength) { append(token, &search) }
    }

    /// Goes on with `token`. Forgets the spans of all other patterns.
    mutating func append(_ token: TokenID, _ search: inout StoreSearch) {
        next.truncate()
        if let single = search.pattern(of: token) {
            next.append(single)
            for number in 0..<min(endings.count, maximumLength - 1) { search.request(endings[number], by: token) }
            var isComplete = false
            search.findRequested { pattern in
                // Longer endings occur only where shorter ones do, in a store that is not damaged.
                guard let pattern, !isComplete else { return isComplete = true }
                next.append(pattern)
            }
        }
        swap(&endings, &next)
        search.keep(&endings)
    }
}
