// What a source of predictions does, and the lists it fills.

import InferTokenizers

/// A source of predictions. It follows the text and finds earlier occurrences of its endings.
///
/// To keep dynamic dispatch cheap, each method is called once or twice per node of a draft. The loops over matches are
/// inside the sources.
protocol DraftSource: AnyObject {
    /// The kind of the source.
    var kind: SourceKind { get }

    /// Replaces the text by `tokens`. The first `kept` tokens are the same as those of the previous text.
    func reset(to tokens: [TokenID], kept: Int)

    /// Adds a token to the text.
    func append(_ token: TokenID)

    /// Offers the matches of the text's endings, longest first.
    func findEndings(_ matches: inout MatchList)

    /// Announces that ``extend(_:by:_:)`` will be called for the matches in `range` with some of `tokens`, so that the
    /// source can look up all of them in one batch.
    func prepare(_ range: Range<Int>, in matches: borrowing MatchList, by tokens: borrowing FlatList<TokenID>)

    /// Offers the matches in `range` that continue with `token`, longest first, and then the match of `token` alone.
    func extend(_ range: Range<Int>, by token: TokenID, _ matches: inout MatchList)

    /// Adds the continuations of the matches in `range`: up to `limit` tokens per match, most frequent first.
    func addContinuations(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to continuations: inout ContinuationList)
}

extension DraftSource {
    /// Does nothing: the default for sources with cheap look-ups.
    func prepare(_ range: Range<Int>, in matches: borrowing MatchList, by tokens: borrowing FlatList<TokenID>) {}
}

/// Where a prediction comes from. A match is more reliable in some kinds of sources than in others.
package enum SourceKind: Int, CaseIterable, Sendable, BitwiseCopyable {
    /// The repository (the working tree).
    case repository
    /// A datastore.
    case common
    /// The text itself: the prompt and the output so far.
    case context
    /// Earlier outputs of the model.
    case history
    /// The text that the output rewrites.
    case cursor
    /// The model's own top tokens after the same token.
    case preference
}

/// The occurrences of one ending of the text, or of the text extended by nodes of a draft.
struct Match {
    /// Location of the occurrences; each source defines the meaning.
    var place: Int
    /// A second number for sources that need one to describe the location.
    var end = 0
    /// Number of occurrences, at least 1.
    var occurrences: Int
    /// Number of tokens that match.
    var length: Int32
    /// Length of the shortest ending that occurs at the same positions.
    var shortest: Int32

    init(length: Int, shortest: Int, occurrences: Int, place: Int, end: Int = 0) {
        self.place = place
        self.end = end
        self.occurrences = occurrences
        self.length = Int32(truncatingIfNeeded: length)
        self.shortest = Int32(truncatingIfNeeded: shortest)
    }
}

/// The matches of all sources at all nodes of a draft. A source offers its matches for a node longest first. The list
/// keeps the longest match and a few shorter ones (back-offs) that occur much more often, among them the matches of one
/// and two tokens.
struct MatchList: ~Copyable {
    private var matches = FlatList<Match>(capacity: 512)
    /// Index of the first match of the current source and node.
    private var start = 0

    /// Maximum number of back-offs after the longest match.
    private static let backOffs = 3

    var count: Int { matches.count }

    subscript(index: Int) -> Match { matches[index] }

    mutating func removeAll() {
        matches.truncate()
        start = 0
    }

    /// Starts the matches of a source at a node and returns the index of the first.
    mutating func begin() -> Int {
        start = matches.count
        return start
    }

    /// Whether the list ignores all further matches of the current source and node.
    var isComplete: Bool { matches.count - start > Self.backOffs }

    /// Takes a match if it is worth keeping. It must be shorter than those offered before.
    mutating func offer(_ match: Match) {
        let kept = matches.count - start
        guard kept > 0 else { return matches.append(match) }
        guard kept <= Self.backOffs else { return }
        let last = matches[matches.count - 1]
        let isFrequent = kept == 1 && match.occurrences >= 3 * last.occurrences
        if match.length < last.length, isFrequent || match.shortest <= 2 { matches.append(match) }
    }
}

/// The continuations of the matches of one source at one node. The level of a continuation is the number of its match:
/// 0 for the longest.
struct ContinuationList: ~Copyable {
    /// A token and the number of a match's occurrences that it follows.
    struct Entry {
        var token: TokenID
        var count: Int32
        var level: Int32
        /// Position where it was seen last; decides between equal counts.
        var end: Int32
    }

    private var entries = FlatList<Entry>(capacity: 64)
    private var level: Int32 = 0
    private var levelStart = 0

    var count: Int { entries.count }

    subscript(index: Int) -> Entry { entries[index] }

    mutating func removeAll() {
        entries.truncate()
        levelStart = 0
    }

    /// Starts the continuations of match number `level`.
    mutating func begin(level: Int) {
        self.level = Int32(truncatingIfNeeded: level)
        levelStart = entries.count
    }

    /// Appends a token that is not more frequent than those before it.
    mutating func append(_ token: TokenID, count: Int) {
        entries.append(
            Entry(token: token, count: Int32(truncatingIfNeeded: min(count, 1 << 30)), level: level, end: 0))
    }

    /// Inserts a token in sorted order among those of the match: more frequent ones first, then more recent ones. Drops
    /// the last token if there are more than `limit`.
    mutating func insert(_ token: TokenID, count: Int, end: Int, limit: Int) {
        let new = Entry(
            token: token, count: Int32(truncatingIfNeeded: count), level: level, end: Int32(truncatingIfNeeded: end))
        var index = entries.count
        if index - levelStart == limit {
            guard index > levelStart, Self.precedes(new, entries[index - 1]) else { return }
            index -= 1
        } else {
            entries.append(new)
        }
        while index > levelStart, Self.precedes(new, entries[index - 1]) {
            entries[index] = entries[index - 1]
            index -= 1
        }
        entries[index] = new
    }

    private static func precedes(_ a: Entry, _ b: Entry) -> Bool {
        a.count > b.count || (a.count == b.count && a.end > b.end)
    }
}
