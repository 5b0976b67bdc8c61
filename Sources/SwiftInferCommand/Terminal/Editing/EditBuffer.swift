// A text with a cursor, and the changes that keys make to it.

/// A text of one or several lines, and a cursor between two of its characters. Removed words and lines are kept for ``yank()``.
package struct EditBuffer {
    /// The text before and after the cursor.
    package private(set) var before = ""
    package private(set) var after = ""
    private var killed = ""
    /// Whether the last change was a removal that the next one continues.
    private var isKilling = false

    /// An empty text.
    package init() {}

    /// The whole text.
    package var text: String { before + after }
    /// Whether there is no text.
    package var isEmpty: Bool { before.isEmpty && after.isEmpty }

    /// Replaces the text. The cursor is at its end.
    package mutating func replace(by text: String) {
        (before, after) = (text, "")
        isKilling = false
    }

    /// Adds text at the cursor.
    package mutating func insert(_ text: some StringProtocol) {
        before += text
        isKilling = false
    }

    /// Adds a scalar at the cursor. One that combines joins the character before it.
    package mutating func insert(_ scalar: Unicode.Scalar) {
        before.unicodeScalars.append(scalar)
        isKilling = false
    }

    /// Removes the last `count` characters before the cursor.
    package mutating func removeLast(_ count: Int) {
        before.removeLast(min(count, before.count))
        isKilling = false
    }

    /// Removes the character after the cursor.
    package mutating func delete() {
        if !after.isEmpty { after.removeFirst() }
        isKilling = false
    }

    // MARK: Moves

    /// Moves the cursor by a character. Nothing happens at the end of the text.
    package mutating func left() { move(to: before.dropLast().endIndex) }

    /// The same in the other direction.
    package mutating func right() { advance(1) }

    /// Moves the cursor to the beginning of its line, or, if it is there, of the line before.
    package mutating func home() { move(to: lineStart) }

    /// Moves the cursor to the end of its line.
    package mutating func end() { advance(after.prefix { $0 != "\n" }.count) }

    /// Moves the cursor to the beginning of the word before it.
    package mutating func wordLeft() { move(to: wordStart { $0.isLetter || $0.isNumber || $0 == "_" }) }

    /// Moves the cursor to the end of the word after it.
    package mutating func wordRight() { advance(wordLength) }

    /// Moves the cursor to the line above, into the same column if there is one.
    ///
    /// - Returns: Whether there is such a line.
    package mutating func up() -> Bool {
        let start = lineStart
        guard start > before.startIndex else { return false }
        let column = before[start...].count
        move(to: before.index(before: start))
        let line = lineStart
        move(to: before.index(line, offsetBy: min(column, before[line...].count)))
        return true
    }

    /// The same in the other direction.
    package mutating func down() -> Bool {
        let column = before[lineStart...].count
        guard let lineBreak = after.firstIndex(of: "\n") else { return false }
        let next = after[after.index(after: lineBreak)...].prefix { $0 != "\n" }
        advance(after[...lineBreak].count + min(column, next.count))
        return true
    }

    /// Moves the cursor to the end of the text.
    package mutating func toEnd() { advance(after.count) }

    // MARK: Removal

    /// Removes the rest of the line, or, at its end, the line break.
    package mutating func killToEnd() {
        let rest = after.prefix { $0 != "\n" }.count
        kill(after: rest == 0 ? 1 : rest)
    }

    /// Removes the line up to the cursor, or, at its beginning, the line break.
    package mutating func killToStart() {
        let start = lineStart
        kill(before: start == before.endIndex && !before.isEmpty ? before.index(before: start) : start)
    }

    /// Removes the text between white space before the cursor.
    package mutating func killBlankWord() { kill(before: wordStart { !$0.isWhitespace }) }

    /// Removes the word before the cursor.
    package mutating func killWordLeft() { kill(before: wordStart { $0.isLetter || $0.isNumber || $0 == "_" }) }

    /// Removes the word after the cursor.
    package mutating func killWordRight() { kill(after: wordLength) }

    /// Adds what was removed last.
    package mutating func yank() { insert(killed) }

    // MARK: Places

    /// The beginning of the cursor's line.
    private var lineStart: String.Index {
        before.lastIndex(of: "\n").map { before.index(after: $0) } ?? before.startIndex
    }

    /// The beginning of the last word before the cursor.
    private func wordStart(_ isPart: (Character) -> Bool) -> String.Index {
        guard let end = before.lastIndex(where: isPart) else { return before.startIndex }
        return before[..<end].lastIndex { !isPart($0) }.map { before.index(after: $0) } ?? before.startIndex
    }

    /// The number of characters up to the end of the next word.
    private var wordLength: Int {
        let isPart = { (character: Character) in character.isLetter || character.isNumber || character == "_" }
        let gap = after.prefix { !isPart($0) }
        return gap.count + after.dropFirst(gap.count).prefix(while: isPart).count
    }

    private mutating func move(to place: String.Index) {
        after = before[place...] + after
        before = String(before[..<place])
        isKilling = false
    }

    private mutating func advance(_ count: Int) {
        before += after.prefix(count)
        after = String(after.dropFirst(count))
        isKilling = false
    }

    private mutating func kill(before place: String.Index) {
        killed = before[place...] + (isKilling ? killed : "")
        before = String(before[..<place])
        isKilling = true
    }

    private mutating func kill(after count: Int) {
        killed = (isKilling ? killed : "") + after.prefix(count)
        after = String(after.dropFirst(count))
        isKilling = true
    }
}
