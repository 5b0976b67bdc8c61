// Drawing of an edited text on the terminal, as a sequence of its control characters.

/// What the terminal shows of an edited text, and the output that changes it.
///
/// All movement is relative to the row where the prompt began, so nothing above is touched. A text of more rows than the terminal is
/// shown in part: the rows around the cursor.
package struct LineScreen {
    private let redraws: Bool
    private var height = 24
    /// What is shown; nil if the cursor stands where the prompt is to begin.
    private var shown: TextLayout?
    /// The first row that is shown.
    private var top = 0
    /// For terminals that cannot redraw: the text that is shown.
    private var typed = ""

    /// A screen of which nothing is known but that the cursor is in the first column.
    ///
    /// - Parameter redraws: Whether the terminal can move the cursor to other rows. If not, text is only added and removed at the
    ///   end, on the last row.
    package init(redraws: Bool) { self.redraws = redraws }

    /// The output that shows `layout` in place of what is shown.
    package mutating func show(_ layout: TextLayout) -> String {
        if let shown, let rest = Self.addition(to: shown, layout), layout.rows.count <= height {
            self.shown = layout
            return rest
        }
        var output = toTop()
        let count = min(layout.rows.count, height)
        top = min(max(top, layout.cursor.row - count + 1), layout.cursor.row)
        top = min(top, layout.rows.count - count)
        output += Self.write(layout, top..<top + count)
        let up = top + count - 1 - layout.cursor.row
        if up > 0 { output += "\u{1B}[\(up)A" }
        output += "\r"
        if layout.cursor.column > 0 { output += "\u{1B}[\(layout.cursor.column)C" }
        shown = layout
        return output
    }

    /// The output after which the cursor is below `layout`, all of which is shown.
    package mutating func finish(_ layout: TextLayout) -> String {
        defer { (shown, top) = (nil, 0) }
        // After a full row the cursor is on a new one already.
        let end =
            layout.rows.count > 1 && layout.rows.last?.columns == 0 && layout.rows.dropLast().last?.isWrapped == true
        let lineBreak = end ? "\r" : "\r\n"
        guard shown != nil, layout.rows.count <= height else {
            return toTop() + Self.write(layout, layout.rows.indices) + lineBreak
        }
        let output = shown == layout ? "" : show(layout)
        let down = layout.rows.count - 1 - layout.cursor.row
        return output + (down > 0 ? "\u{1B}[\(down)B" : "") + lineBreak
    }

    /// The output after which the cursor is below what is shown, for other output.
    package mutating func leave() -> String {
        defer { (shown, top) = (nil, 0) }
        guard let shown else { return "" }
        let down = min(shown.rows.count, top + height) - 1 - shown.cursor.row
        return (down > 0 ? "\u{1B}[\(down)B" : "") + "\r\n"
    }

    /// The output that clears the terminal. What is shown next begins at its top.
    package mutating func clear() -> String {
        (shown, top) = (nil, 0)
        return "\u{1B}[H\u{1B}[2J"
    }

    /// Forgets what is shown: others have written to the terminal, and the cursor is in the first column.
    package mutating func forget() { (shown, top, typed) = (nil, 0, "") }

    /// Sets the number of rows of the terminal, whose columns may have changed.
    ///
    /// - Parameter layout: What is shown, for the new number of columns. Terminals wrap their lines anew.
    /// - Returns: Output that has to come before any other.
    package mutating func resize(rows: Int, _ layout: TextLayout) -> String {
        let fits = max(layout.rows.count, shown?.rows.count ?? 0) < min(rows, height)
        height = max(rows, 1)
        guard shown != nil else { return "" }
        guard fits else { return clear() }
        shown = layout
        defer { shown = nil }
        return toTop() + "\u{1B}[J"
    }

    // MARK: Terminals that cannot redraw

    /// The output that makes `text` from what is shown after the prompt. Lines after the first begin with `continuation`.
    package mutating func append(_ text: String, prompt: String, continuation: String) -> String {
        defer { typed = text }
        let common = zip(typed, text).prefix { $0 == $1 }.count
        let removed = typed.dropFirst(common)
        // Earlier rows cannot be changed any more.
        let last = removed.lastIndex(of: "\n").map { removed[removed.index(after: $0)...] } ?? removed
        let start =
            last.startIndex == removed.startIndex ? Self.lastLine(typed.prefix(common), prompt, continuation) : ""
        let width = Self.width(last, after: Self.width(start[...], after: 0))
        let added = text.dropFirst(common).flatMap { $0 == "\n" ? "\n" + continuation : String($0) }
        return String(repeating: "\u{8} \u{8}", count: width) + String(added)
    }

    private static func lastLine(_ text: Substring, _ prompt: String, _ continuation: String) -> String {
        let line = text.lastIndex(of: "\n").map { continuation + text[text.index(after: $0)...] }
        return line ?? prompt + text
    }

    private static func width(_ text: Substring, after start: Int) -> Int {
        text.reduce(0) { $0 + ($1 == "\t" ? 8 - (start + $0) % 8 : $1.columns) }
    }

    // MARK: Parts

    /// The output that moves the cursor to the beginning of the first row that is shown.
    private func toTop() -> String {
        guard let shown, shown.cursor.row > top else { return "\r" }
        return "\u{1B}[\(shown.cursor.row - top)A\r"
    }

    private static func write(_ layout: TextLayout, _ range: Range<Int>) -> String {
        var output = ""
        for index in range {
            let row = layout.rows[index]
            output += row.text
            // In the last column a terminal waits for the next character, and clearing would erase the last one.
            if row.columns < layout.columns { output += "\u{1B}[K" }
            guard index + 1 < range.upperBound else { break }
            if !row.isWrapped {
                output += "\r\n"
            } else if layout.rows[index + 1].columns == 0 {
                output += " \r"
            }
        }
        return range.upperBound == layout.rows.count ? output + "\u{1B}[J" : output
    }

    /// What is added at the end of `old` to make `new`; nil if there are other changes or if a row is begun.
    private static func addition(to old: TextLayout, _ new: TextLayout) -> String? {
        guard let oldRow = old.rows.last, let newRow = new.rows.last, old.rows.count == new.rows.count,
            old.cursor == (old.rows.count - 1, oldRow.columns), new.cursor == (new.rows.count - 1, newRow.columns),
            newRow.text.hasPrefix(oldRow.text), old.rows.dropLast().elementsEqual(new.rows.dropLast())
        else { return nil }
        let rest = newRow.text.dropFirst(oldRow.text.count)
        // A mark alone joins the character before it.
        return rest.unicodeScalars.first?.properties.canonicalCombiningClass == .notReordered || rest.isEmpty
            ? String(rest) : nil
    }
}
