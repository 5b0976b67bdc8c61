// Where the characters of an edited text stand on the terminal.

/// The rows that a prompt and an edited text take on a terminal, and the place of the cursor.
package struct TextLayout: Equatable {
    /// A row of the terminal.
    package struct Row: Equatable {
        /// What is written, with escape sequences for the style of the prompt.
        package var text = ""
        /// The columns that are taken.
        package var columns = 0
        /// Whether the line goes on in the next row.
        package var isWrapped = false
    }

    /// The rows, at least one.
    package private(set) var rows = [Row()]
    /// The place of the cursor: a row, and the number of columns before it.
    package private(set) var cursor = (row: 0, column: 0)
    /// The columns of the terminal.
    package let columns: Int

    /// Lays out a text.
    ///
    /// - Parameters:
    ///   - prompt: What stands before the text.
    ///   - continuation: What stands before each later line of the text.
    ///   - before: The text before the cursor.
    ///   - after: The text after the cursor.
    ///   - columns: The columns of the terminal.
    ///   - style: Makes the output for a part of the prompt.
    package init(
        prompt: String, continuation: String, before: String, after: String, columns: Int,
        style: (String) -> String = { $0 }
    ) {
        self.columns = max(columns, 2)
        add(prompt, style)
        add(before, continuation, style)
        if rows[rows.count - 1].columns < self.columns {
            cursor = (rows.count - 1, rows[rows.count - 1].columns)
        } else if after.first == "\n" {
            cursor = (rows.count - 1, self.columns - 1)
        } else {
            cursor = (rows.count, 0)
        }
        add(after, continuation, style)
        // The cursor needs a place after a full row.
        if rows[rows.count - 1].columns == self.columns { wrap() }
    }

    private mutating func add(_ text: String, _ continuation: String, _ style: (String) -> String) {
        for character in text {
            switch character {
            case "\n", "\r\n":
                rows.append(Row())
                add(continuation, style)
            case "\t":
                if rows[rows.count - 1].columns == columns { wrap() }
                let taken = rows[rows.count - 1].columns
                let blanks = min(8 - taken % 8, columns - taken)
                rows[rows.count - 1].text += String(repeating: " ", count: blanks)
                rows[rows.count - 1].columns += blanks
            default: add(character)
            }
        }
    }

    private mutating func add(_ prompt: String, _ style: (String) -> String) {
        for character in prompt { add(character) }
        // A prompt that is wrapped stays plain.
        guard let last = rows.indices.last, rows[last].text.hasSuffix(prompt) else { return }
        rows[last].text.removeLast(prompt.count)
        rows[last].text += style(prompt)
    }

    private mutating func add(_ character: Character) {
        let width = character.columns
        if rows[rows.count - 1].columns + width > columns { wrap() }
        rows[rows.count - 1].text.append(character)
        rows[rows.count - 1].columns += width
    }

    private mutating func wrap() {
        rows[rows.count - 1].isWrapped = true
        rows.append(Row())
    }

    package static func == (one: TextLayout, other: TextLayout) -> Bool {
        one.rows == other.rows && one.cursor == other.cursor && one.columns == other.columns
    }
}
