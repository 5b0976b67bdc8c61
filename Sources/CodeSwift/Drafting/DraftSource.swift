// What a source of predictions does, and the lists it fills.

import InferTokenizers

/// A source of guesses, which follows the text and finds its endings.
///
/// The calls are coarse, one or two for each place of a draft: what happens per match happens within a source.
protocol DraftSource: AnyObject {
    /// What it is.
    var kind: SourceKind { get }

    /// Takes `tokens` as the text from now on; the first `kept` of them are those of the text before.
    func reset(to tokens: [TokenID], kept: Int)

    /// Goes on with a token.
    func append(_ token: TokenID)

    /// Offers the matches of the text's endings, the longest first.
    func findEndings(_ matches: inout MatchList)

    /// Hears that the matches numbered `range` will be asked to extend by each of `tokens`, so that it can look all of them up at
    /// once.
    func prepare(_ range: Range<Int>, in matches: borrowing MatchList, by tokens: borrowing FlatList<TokenID>)

    /// Offers those of the matches numbered `range` that go on with `token`, the longest first, and then that of `token`
    /// alone.
    func extend(_ range: Range<Int>, by token: TokenID, _ matches: inout MatchList)

    /// Adds what follows the matches numbered `range`, up to `limit` tokens each, the most frequent first.
    func addFollowings(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to followings: inout FollowingList)
}

extension DraftSource {
    /// Nothing, where look-ups are cheap.
    func prepare(_ range: Range<Int>, in matches: borrowing MatchList, by tokens: borrowing FlatList<TokenID>) {}
}

/// Where a guess was found. Kinds differ in how far a match can be trusted.
package enum SourceKind: Int, CaseIterable, Sendable, BitwiseCopyable {
    /// The working tree.
    case repository
    /// A corpus shared by many.
    case common
    /// The text itself: prompt and output so far.
    case context
    /// Earlier outputs of the model.
    case history
    /// The place in the text that is being rewritten.
    case cursor
    /// What the model itself thought likely after the same token.
    case preference
}

/// Occurrences of one ending of the text, or of the text with some guesses behind it.
struct Match {
    /// Where, in the source's own terms.
    var place: Int
    /// Where the occurrences end, for sources that need two numbers.
    var end = 0
    /// How often they occur, at least 1.
    var occurrences: Int
    /// Tokens that agree.
    var length: Int32
    /// The shortest ending that occurs at the same places.
    var shortest: Int32

    init(length: Int, shortest: Int, occurrences: Int, place: Int, end: Int = 0) {
        self.place = place
        self.end = end
        self.occurrences = occurrences
        self.length = Int32(truncatingIfNeeded: length)
        self.shortest = Int32(truncatingIfNeeded: shortest)
    }
}

/// Matches of all sources at all places of a draft. Of a source's matches at one place, offered the longest first, it keeps the
/// longest and a few shorter ones that occur much more often, those of orders 2 and 1 among them.
struct MatchList: ~Copyable {
    private var matches = FlatList<Match>(capacity: 512)
    /// Where the matches of the source and place begin that are being offered.
    private var start = 0

    /// Orders that are kept behind the longest.
    private static let backOffs = 3

    var count: Int { matches.count }

    subscript(index: Int) -> Match { matches[index] }

    mutating func removeAll() {
        matches.truncate()
        start = 0
    }

    /// Begins with a source at a place, and returns where its matches will begin.
    mutating func begin() -> Int {
        start = matches.count
        return start
    }

    /// Whether further matches would be left out.
    var isComplete: Bool { matches.count - start > Self.backOffs }

    /// Takes a match, shorter than those offered before, if it is one to keep.
    mutating func offer(_ match: Match) {
        let kept = matches.count - start
        guard kept > 0 else { return matches.append(match) }
        guard kept <= Self.backOffs else { return }
        let last = matches[matches.count - 1]
        let isFrequent = kept == 1 && match.occurrences >= 3 * last.occurrences
        if match.length < last.length, isFrequent || match.shortest <= 2 { matches.append(match) }
    }
}

/// Tokens that follow matches, level by level: a level is the number of a match among those of its source and place.
struct FollowingList: ~Copyable {
    /// A token, and how many of a match's occurrences it follows.
    struct Following {
        var token: TokenID
        var count: Int32
        var level: Int32
        /// Where it was seen last, for those that count as many as others.
        var end: Int32
    }

    private var followings = FlatList<Following>(capacity: 64)
    private var level: Int32 = 0
    private var levelStart = 0

    var count: Int { followings.count }

    subscript(index: Int) -> Following { followings[index] }

    mutating func removeAll() {
        followings.truncate()
        levelStart = 0
    }

    /// Begins with the match of number `level`.
    mutating func begin(level: Int) {
        self.level = Int32(truncatingIfNeeded: level)
        levelStart = followings.count
    }

    /// Adds what follows less often than all before it.
    mutating func append(_ token: TokenID, count: Int) {
        followings.append(
            Following(token: token, count: Int32(truncatingIfNeeded: min(count, 1 << 30)), level: level, end: 0))
    }

    /// Puts a token in its place among those of the match: the more frequent first, of equally frequent ones the one seen
    /// last; beyond `limit` the last is dropped.
    mutating func insert(_ token: TokenID, count: Int, end: Int, limit: Int) {
        let new = Following(
            token: token, count: Int32(truncatingIfNeeded: count), level: level, end: Int32(truncatingIfNeeded: end))
        var index = followings.count
        if index - levelStart == limit {
            guard index > levelStart, Self.precedes(new, followings[index - 1]) else { return }
            index -= 1
        } else {
            followings.append(new)
        }
        while index > levelStart, Self.precedes(new, followings[index - 1]) {
            followings[index] = followings[index - 1]
            index -= 1
        }
        followings[index] = new
    }

    private static func precedes(_ a: Following, _ b: Following) -> Bool {
        a.count > b.count || (a.count == b.count && a.end > b.end)
    }
}
