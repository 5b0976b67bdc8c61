// Editing of the text that is typed at the terminal.

/// A text that grows key by key, and the output that shows it on the terminal. Keys append to the text or erase from its end.
/// Pasted text belongs to one text, including its line breaks.
package struct LineEditor {
    /// The result of a key.
    package enum Event: Equatable {
        /// Return: the text is complete.
        case text(String)
        /// Ctrl-D with an empty text.
        case end
    }

    /// Columns of the terminal.
    package var columns = 80
    /// Whether the terminal can redraw lines. If not, characters are erased only on the last line.
    let redraws: Bool
    /// Columns before the text.
    private let promptColumns: Int

    private enum Key {
        case plain
        case escape
        /// A control sequence; the bytes after ESC [.
        case sequence([UInt8])
        /// ESC O, which one more byte completes.
        case shifted
    }

    private var text: [UInt8] = []
    private var output: [UInt8] = []
    private var key = Key.plain
    private var isPasting = false
    private var endsInReturn = false
    private var hasGrown = false

    /// An editor with an empty text after a prompt of `promptColumns` columns.
    package init(promptColumns: Int, redraws: Bool) {
        self.promptColumns = promptColumns
        self.redraws = redraws
    }

    /// Whether the text is empty.
    var isEmpty: Bool { text.isEmpty }

    /// Processes one byte from the terminal.
    package mutating func take(_ byte: UInt8) -> Event? {
        switch key {
        case .plain: return plain(byte)
        case .escape:
            switch byte {
            case UInt8(ascii: "["): key = .sequence([])
            case UInt8(ascii: "O"): key = .shifted
            default: key = .plain
            }
        case .shifted: key = .plain
        case .sequence(let bytes):
            guard !(0x40...0x7E).contains(byte) else {
                key = .plain
                if byte == UInt8(ascii: "~"), bytes.elementsEqual("200".utf8) { isPasting = true }
                if byte == UInt8(ascii: "~"), bytes.elementsEqual("201".utf8) { isPasting = false }
                return nil
            }
            // No key has a longer sequence.
            key = bytes.count < 16 ? .sequence(bytes + [byte]) : .plain
        }
        return nil
    }

    /// The output for the terminal since the last call.
    package mutating func takeOutput() -> [UInt8] {
        settle()
        defer { output = [] }
        return output
    }

    /// Returns the text and starts a new one.
    package mutating func finish() -> String {
        defer { (text, key, isPasting, hasGrown) = ([], .plain, false, false) }
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func plain(_ byte: UInt8) -> Event? {
        defer { endsInReturn = byte == 13 }
        switch byte {
        case 27: key = .escape
        case 10 where isPasting && endsInReturn: break
        case 10 where isPasting, 13 where isPasting: append(10)
        case 9, 32..<127, 128...: append(byte)
        case _ where isPasting: break
        case 10, 13:
            output.append(10)
            return .text(finish())
        case 4 where text.isEmpty: return .end
        case 8, 127: erase { $0.removeLast() }
        case 21: erase { $0 = "" }
        case 23:
            erase { text in
                while text.last?.isWhitespace == true { text.removeLast() }
                while text.last?.isWhitespace == false { text.removeLast() }
            }
        default: break
        }
        return nil
    }

    private mutating func append(_ byte: UInt8) {
        text.append(byte)
        output.append(byte)
        hasGrown = true
    }

    /// Applies `change`, which erases from the end, to the text and on the terminal.
    private mutating func erase(_ change: (inout String) -> Void) {
        guard !text.isEmpty else { return }
        settle()
        let before = place
        var shorter = String(decoding: text, as: UTF8.self)
        change(&shorter)
        text = Array(shorter.utf8)
        let after = place
        if redraws {
            if before.row > after.row { output += "\u{1B}[\(before.row - after.row)A".utf8 }
            output += "\r".utf8
            if after.column > 0 { output += "\u{1B}[\(after.column)C".utf8 }
            output += "\u{1B}[J".utf8
        } else if before.row == after.row {
            output += String(repeating: "\u{8} \u{8}", count: max(0, before.column - after.column)).utf8
        }
    }

    /// Moves the cursor to the next line if the last column was written: a terminal does so only at the next character.
    private mutating func settle() {
        guard hasGrown else { return }
        hasGrown = false
        let place = place
        if redraws, place.column == 0, place.row > 0, text.last != 10 { output += " \r".utf8 }
    }

    /// The position of the end of the text, relative to the start of its prompt.
    private var place: (row: Int, column: Int) {
        var row = 0
        var column = promptColumns
        for character in String(decoding: text, as: UTF8.self) {
            if character == "\n" {
                (row, column) = (row + 1, 0)
                continue
            }
            let width = character == "\t" ? 8 - column % 8 : character.columns
            if column + width > columns { (row, column) = (row + 1, width) } else { column += width }
            if column == columns { (row, column) = (row + 1, 0) }
        }
        return (row, column)
    }
}

extension Character {
    /// Columns on a terminal: two for East Asian scripts and emoji.
    fileprivate var columns: Int {
        guard let scalar = unicodeScalars.first else { return 0 }
        if scalar.properties.isEmojiPresentation { return 2 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
