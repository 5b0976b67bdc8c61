// Guesses from a suffix array.

import Tokenizers

/// One segment of a store as a source.
final class StoreSource: DraftSource {
    let kind: SourceKind
    private var matcher: SuffixMatcher
    private let excluded: PositionSet?

    init(_ segment: StoreSegment, kind: SourceKind) {
        self.kind = kind
        matcher = SuffixMatcher(segment.index)
        excluded = segment.excluded.isEmpty ? nil : segment.excluded
    }

    func reset(to tokens: [TokenID], kept: Int) { matcher.reset(to: tokens) }

    func append(_ token: TokenID) { matcher.append(token) }

    func appendMatches(to matches: inout [Match]) {
        for ending in matcher.endings.reversed() { matches.append(Self.match(ending)) }
    }

    func extend(_ match: Match, by token: TokenID) -> Match? {
        matcher.index.refine(Self.range(match), by: token).map(Self.match)
    }

    func match(of token: TokenID) -> Match? { matcher.index.range(of: token).map(Self.match) }

    func appendContinuations(of match: Match, limit: Int, to continuations: inout [Continuation]) {
        matcher.index.continuations(of: Self.range(match), limit: limit, excluding: excluded, into: &continuations)
    }

    private static func match(_ range: SuffixRange) -> Match {
        Match(
            length: range.length, shortest: range.length, occurrences: range.count, place: range.lower, end: range.upper
        )
    }

    private static func range(_ match: Match) -> SuffixRange {
        SuffixRange(lower: match.place, upper: match.end, length: match.length)
    }
}
