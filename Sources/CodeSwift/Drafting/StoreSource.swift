// The source that searches datastores and the repository.

import InferTokenizers

/// Predicts from suffix arrays: the segments of one kind of store as one source.
final class StoreSource: DraftSource {
    let kind: SourceKind
    let segments: [StoreSegment]
    private var search: StoreSearch
    private var matcher = SuffixMatcher()
    /// The patterns of the current draft's matches.
    private var patterns = FlatList<Pattern>(capacity: 256)

    init(_ segments: [StoreSegment], kind: SourceKind) {
        self.kind = kind
        self.segments = segments
        search = StoreSearch(segments)
    }

    func reset(to tokens: [TokenID], kept: Int) { matcher.reset(to: tokens, &search) }

    func append(_ token: TokenID) { matcher.append(token, &search) }

    func findEndings(_ matches: inout MatchList) {
        patterns.truncate()
        search.forgetOthers()
        var number = matcher.endings.count
        while number > 0, !matches.isComplete {
            number -= 1
            patterns.append(matcher.endings[number])
            offer(patterns.count - 1, to: &matches)
        }
    }

    func prepare(_ range: Range<Int>, in matches: borrowing MatchList, by tokens: borrowing FlatList<TokenID>) {
        guard !range.isEmpty else { return }
        let known = patterns.count
        for index in 0..<tokens.count {
            for number in range { search.request(patterns[matches[number].place], by: tokens[index]) }
        }
        search.findRequested { pattern in
            if let pattern { patterns.append(pattern) }
        }
        // Reading the continuations now puts them in the cache, where the next look-ups find them.
        for place in known..<patterns.count { search.request(patterns[place]) }
        search.readRequested { _, _ in }
        patterns.truncate(to: known)
    }

    func extend(_ range: Range<Int>, by token: TokenID, _ matches: inout MatchList) {
        let known = patterns.count
        for number in range { search.request(patterns[matches[number].place], by: token) }
        search.findRequested { pattern in
            if let pattern { patterns.append(pattern) }
        }
        // If a longer ending matches, the continuations of the single token are noise.
        if patterns.count == known, let single = search.pattern(of: token) { patterns.append(single) }
        for place in known..<patterns.count { offer(place, to: &matches) }
    }

    func addContinuations(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to continuations: inout ContinuationList
    ) {
        for number in range { search.request(patterns[matches[number].place]) }
        var level = 0
        search.readRequested { answer, kept in
            continuations.begin(level: level)
            level += 1
            for place in 0..<min(limit, answer.count) {
                continuations.append(kept[place].token, count: Int(kept[place].count))
            }
        }
    }

    /// Offers the pattern at `place` unless all of its occurrences are excluded.
    private func offer(_ place: Int, to matches: inout MatchList) {
        let pattern = patterns[place]
        var occurrences = pattern.count
        if search.hasExclusions {
            search.request(pattern)
            search.readRequested { answer, _ in occurrences = answer.served }
        }
        guard occurrences > 0 else { return }
        let length = Int(pattern.length)
        matches.offer(Match(length: length, shortest: length, occurrences: occurrences, place: place))
    }
}
