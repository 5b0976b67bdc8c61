// The source for edits: it follows the text that the output rewrites.

import InferTokenizers

/// Predicts the tokens that follow the cursor in the text being rewritten.
final class CursorSource: DraftSource {
    let kind = SourceKind.cursor
    private var cursor = TextCursor()

    /// A confirmed token counts as much as this many matched tokens elsewhere. Values from 5 to 8 were best in
    /// simulation.
    private static let weight = 6
    /// Further confirmed tokens do not increase the match length.
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

    func addContinuations(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to continuations: inout ContinuationList
    ) {
        for number in range {
            guard let token = cursor.token(matches[number].place) else { continue }
            continuations.begin(level: number - range.lowerBound)
            continuations.append(token, count: 1)
        }
    }
}

/// A cursor in the prompt that follows the output. While the two agree, it moves along. After a difference, it searches
/// for the last tokens of the output nearby, so that copying continues after an edit.
struct TextCursor: ~Copyable {
    private var text = FlatList<TokenID>(capacity: 1 << 10)
    /// Number of prompt tokens. The rewritten text is before this position, the output after it.
    private var end = 0
    /// Position where the next token is expected; nil if the cursor follows nothing.
    private var place: Int?
    /// Number of tokens that have agreed since the position was found.
    private var confirmed = 0
    /// Whether the last token agreed.
    private var agrees = false

    /// After a difference, the search covers this range of positions relative to the cursor.
    private static let window = -16...96
    /// Number of tokens that must agree before the cursor starts to follow a position.
    private static let initialLength = 6

    /// The position where the output is expected to continue, and the number of tokens that have agreed; nil if there
    /// is none.
    var expectation: (place: Int, confirmed: Int)? {
        guard let place, agrees, confirmed > 0, place < end else { return nil }
        return (place, confirmed)
    }

    /// The prompt token at `place`; nil from the end of the prompt on.
    func token(_ place: Int) -> TokenID? { place < end ? text[place] : nil }

    /// Starts a new text. The output begins after `tokens`.
    mutating func reset(to tokens: [TokenID]) {
        text.truncate()
        for token in tokens { text.append(token) }
        end = tokens.count
        place = nil
        agrees = false
    }

    /// Adds a token of the output.
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

    /// Searches near `anchor` for the last tokens of the output. Prefers the longest agreement, then the nearest
    /// position.
    private mutating func resynchronize(around anchor: Int) {
        var best = (length: 0, distance: Int.max, place: anchor)
        let lower = max(1, anchor + Self.window.lowerBound)
        let upper = min(end, anchor + Self.window.upperBound)
        guard lower <= upper else { return }
        for position in lower...upper {
            let length = agreement(position, limit: 8)
            let distance = abs(position - anchor)
            if length > best.length || (length == best.length && distance < best.distance) {
                best = (length, distance, position)
            }
        }
        // A single token that agrees farther away is a coincidence.
        guard best.length >= 2 || (best.length == 1 && best.distance <= 4) else { return }
        place = best.place
        confirmed = best.length - 1
        agrees = true
    }

    /// Searches the whole prompt for a long agreement.
    private mutating func find() {
        guard text.count - end >= Self.initialLength else { return }
        var position = end
        while position >= Self.initialLength {
            if agreement(position, limit: Self.initialLength) == Self.initialLength {
                place = position
                confirmed = 1
                agrees = true
                return
            }
            position -= 1
        }
    }

    /// Number of tokens, up to `limit`, that agree before `position` and at the end of the text.
    private func agreement(_ position: Int, limit: Int) -> Int {
        var length = 0
        while length < limit, position - length > 0, text[position - length - 1] == text[text.count - length - 1] {
            length += 1
        }
        return length
    }
}
