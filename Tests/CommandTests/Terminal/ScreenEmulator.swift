// A terminal of characters, for tests of what the line editor draws.

import SwiftInferCommand

/// What a terminal shows after some output. It knows the control characters and sequences that the editor uses.
struct ScreenEmulator {
    let columns: Int
    let rows: Int
    /// The characters; an empty text is the second half of a wide one.
    private var cells: [[String]]
    private(set) var row = 0
    private(set) var column = 0
    /// Sequences that this terminal does not know.
    private(set) var unknown: [String] = []

    init(columns: Int, rows: Int) {
        (self.columns, self.rows) = (columns, rows)
        cells = Array(repeating: Array(repeating: " ", count: columns), count: rows)
    }

    /// The text of a row, without blanks at its end.
    func text(_ row: Int) -> String {
        guard cells.indices.contains(row) else { return "" }
        var text = cells[row].joined()
        while text.last == " " { text.removeLast() }
        return text
    }

    /// All rows down to the last one with text.
    var texts: [String] {
        var all = (0..<rows).map(text)
        while all.last == "" { all.removeLast() }
        return all
    }

    mutating func write(_ output: String) {
        var rest = output[...]
        while let character = rest.popFirst() {
            switch character {
            case "\u{1B}": sequence(&rest)
            case "\r\n":
                column = 0
                lineFeed()
            case "\r": column = 0
            case "\n":
                column = 0
                lineFeed()
            case "\u{8}": column = max(0, min(column, columns - 1) - 1)
            default: put(character)
            }
        }
    }

    private mutating func put(_ character: Character) {
        let width = character.columns
        guard width > 0 else {
            cells[row][max(0, column - 1)] += String(character)
            return
        }
        // After the last column the cursor waits there for the next character.
        if column + width > columns {
            column = 0
            lineFeed()
        }
        cells[row][column] = String(character)
        if width == 2 { cells[row][column + 1] = "" }
        column += width
    }

    private mutating func lineFeed() {
        if row + 1 < rows {
            row += 1
        } else {
            cells.removeFirst()
            cells.append(Array(repeating: " ", count: columns))
        }
    }

    private mutating func sequence(_ rest: inout Substring) {
        guard rest.popFirst() == "[" else { return unknown.append("not a control sequence") }
        let parameters = rest.prefix { $0.isNumber || $0 == ";" }
        rest = rest.dropFirst(parameters.count)
        let count = max(1, Int(parameters) ?? 1)
        switch rest.popFirst() {
        case "A": row = max(0, row - count)
        case "B": row = min(rows - 1, row + count)
        case "C": column = min(columns - 1, column + count)
        case "H": (row, column) = (0, 0)
        case "K": for place in column..<columns { cells[row][place] = " " }
        case "J":
            if parameters == "2" {
                cells = Array(repeating: Array(repeating: " ", count: columns), count: rows)
            } else {
                for place in min(column, columns)..<columns { cells[row][place] = " " }
                for below in row + 1..<max(rows, row + 1) {
                    cells[below] = Array(repeating: " ", count: columns)
                }
            }
        case "m": break
        case let final: unknown.append("\(parameters)\(final.map(String.init) ?? "")")
        }
    }
}
