// The source for edits: it follows the text that the output rewrites.

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

/// A place in the text that the output follows: while the two agree it moves along, and after a difference it looks for the
/// output's last tokens nearby, so that an edit is copied on behind the words it changed.
struct TextCursor: ~Copyable {
    private var text = FlatList<TokenID>(capacity: 1 << 10)
    /// Where the output begins: what is rewritten lies before.
    private var end = 0
    /// Where the next token is expected; nil when nothing is being followed.
    private var place: Int?
    /// Tokens that have agreed since the place was found.
    private var confirmed = 0
    /// Whether the last token agreed.
    private var agrees = false

    /// Tokens before and after a difference among which the output is looked for.
    private static let window = -16...96
    /// Tokens that must agree for a place to be followed at first.
    private static let initialLength = 6

    /// Where the output is expected to go on, and how many tokens have agreed; nil when it follows nothing.
    var expectation: (place: Int, confirmed: Int)? {
        guard let place, agrees, confirmed > 0, place < end else { return nil }
        return (place, confirmed)
    }

    /// The token at `place`; nil where the output begins.
    func token(_ place: Int) -> TokenID? { place < end ? text[place] : nil }

    /// Begins behind a new text.
    mutating func reset(to tokens: [TokenID]) {
        text.truncate()
        for token in tokens { text.append(token) }
        end = tokens.count
        place = nil
        agrees = false
    }

    /// Goes on with a token of the output.
    mutating func append(_ token: TokenID) {
        text.append(token)
        if let place, place < end, text[place] == token {
            self.place = place + 1
            confirmed += 1
            agrees = true
            return
        }
        agrees = false
        if let place { resynchronize(around: place) }
        if !agrees { find() }
    }

    /// Looks for the output's end near `anchor`, the longest agreement first, then the nearest.
    private mutating func resynchronize(around anchor: Int) {
        var best = (length: 0, distance: Int.max, place: anchor)
        let lower = max(1, anchor + Self.window.lowerBound)
        let upper = min(end, anchor + Self.window.upperBound)
        guard lower <= upper else { return }
        for candidate in lower...upper {
            let length = agreement(candidate, limit: 8)
            let distance = abs(candidate - anchor)
            if length > best.length || (length == best.length && distance < best.distance) {
                best = (length, distance, candidate)
            }
        }
        // A single token that agrees somewhere else is chance.
        guard best.length >= 2 || (best.length == 1 && best.distance <= 4) else { return }
        place = best.place
        confirmed = best.length - 1
        agrees = true
    }

    /// Looks for a long agreement anywhere before.
    private mutating func find() {
        guard text.count - end >= Self.initialLength else { return }
        var candidate = end
        while candidate >= Self.initialLength {
            if agreement(candidate, limit: Self.initialLength) == Self.initialLength {
                place = candidate
                confirmed = 1
                agrees = true
                return
            }
            candidate -= 1
        }
    }

    /// Tokens, up to `limit`, that agree before `candidate` and at the end of the text.
    private func agreement(_ candidate: Int, limit: Int) -> Int {
        var length = 0
        while length < limit, candidate - length > 0, text[candidate - length - 1] == text[text.count - length - 1] {
            length += 1
        }
        return length
    }
}
