// The matches that are kept of those found.

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
