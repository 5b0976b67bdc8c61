// Guesses from the place in the text that is being rewritten.

import InferTokenizers

/// What stands in the text behind the place that the output follows.
final class CursorSource: DraftSource {
    let kind = SourceKind.cursor
    private var cursor = TextCursor()

    /// A confirmed token is worth as much as a free match of so many (by simulation, five to eight).
    private static let weight = 6
    /// More confirmed tokens make no difference.
    private static let mostConfirmed = 12

    func reset(to tokens: [TokenID], kept: Int) { cursor.reset(to: tokens) }

    func append(_ token: TokenID) { cursor.append(token) }

    func findEndings(_ matches: inout MatchList) {
        guard let (place, confirmed) = cursor.expectation else { return }
        let length = min(confirmed, Self.mostConfirmed) * Self.weight
        matches.offer(Match(length: length, shortest: length, occurrences: 1, place: place))
    }

    func extend(_ range: Range<Int>, by token: TokenID, _ matches: inout MatchList) {
        for number in range where cursor.token(matches[number].place) == token {
            let length = Int(matches[number].length) + Self.weight
            matches.offer(Match(length: length, shortest: length, occurrences: 1, place: matches[number].place + 1))
        }
    }

    func addFollowings(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to followings: inout FollowingList
    ) {
        for number in range {
            guard let token = cursor.token(matches[number].place) else { continue }
            followings.begin(level: number - range.lowerBound)
            followings.append(token, count: 1)
        }
    }
}
