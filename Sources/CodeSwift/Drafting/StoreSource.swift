// Guesses from a suffix array.

import Tokenizers

/// One segment of a store as a source.
final class StoreSource: DraftSource {
    let kind: SourceKind
    let segment: StoreSegment
    private let index: SuffixIndex
    private let memo: RangeMemo
    private var matcher: SuffixMatcher

    init(_ segment: StoreSegment, kind: SourceKind) {
        self.kind = kind
        self.segment = segment
        index = segment.index
        memo = RangeMemo(segment.index, excluding: segment.excluded.isEmpty ? nil : segment.excluded)
        matcher = SuffixMatcher(segment.index, memo: memo)
    }

    func reset(to tokens: [TokenID], kept: Int) { matcher.reset(to: tokens) }

    func append(_ token: TokenID) { matcher.append(token) }

    func findEndings(_ matches: inout MatchList) {
        for ending in matcher.endings.reversed() where !matches.isComplete { offer(ending, to: &matches) }
    }

    func extend(_ range: Range<Int>, by token: TokenID, _ matches: inout MatchList) {
        var isFound = false
        for number in range {
            guard let longer = memo.refine(Self.range(matches[number]), by: token) else { continue }
            offer(longer, to: &matches)
            isFound = true
        }
        // Where more than the token matches, what follows the token alone is noise.
        if !isFound, let single = index.range(of: token) { offer(single, to: &matches) }
    }

    func addFollowings(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to followings: inout FollowingList
    ) {
        for number in range {
            followings.begin(level: number - range.lowerBound)
            memo.addFollowings(of: Self.range(matches[number]), limit: limit, to: &followings)
        }
    }

    /// Offers a range of which anything is served.
    private func offer(_ range: SuffixRange, to matches: inout MatchList) {
        let occurrences = memo.occurrences(range)
        guard occurrences > 0 else { return }
        matches.offer(
            Match(
                length: range.length, shortest: range.length, occurrences: occurrences, place: range.lower,
                end: range.upper))
    }

    private static func range(_ match: Match) -> SuffixRange {
        SuffixRange(lower: match.place, upper: match.end, length: Int(match.length))
    }
}
