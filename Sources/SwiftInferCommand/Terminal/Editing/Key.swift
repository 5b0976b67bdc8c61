// The keys of a terminal, from the bytes that it sends for them.

/// A key, or a piece of pasted text.
package enum Key: Equatable {
    /// Text: one scalar. In pasted text it can be a line break.
    case text(Unicode.Scalar)
    /// Return.
    case enter
    /// Return with Alt or Shift: a line break in the text.
    case newline
    case tab, backspace, delete
    case left, right, up, down
    /// The beginning and the end of the line.
    case home, end
    case wordLeft, wordRight
    /// Removal of the word before or after the cursor.
    case eraseWord, deleteWord
    /// The first and the last text of the history.
    case first, last
    /// Escape alone.
    case escape
    /// A letter with Ctrl.
    case control(Character)
}

/// Reads keys byte by byte. Sequences of unknown keys are dropped.
package struct KeyDecoder {
    private enum State {
        case start
        /// A part of a character in UTF-8, which has `length` bytes.
        case character([UInt8], length: Int)
        case escape
        /// A control sequence; the bytes after ESC [.
        case sequence([UInt8])
        /// ESC O, which one more byte completes.
        case shifted
    }

    private var state = State.start
    private var isPasting = false
    private var followsReturn = false

    /// A decoder between two keys.
    package init() {}

    /// Whether the bytes so far end within a key. After ``escape`` alone it stays so until ``timeOut()``.
    package var isWithinKey: Bool {
        if case .start = state { false } else { true }
    }

    /// Takes the next byte.
    package mutating func take(_ byte: UInt8) -> [Key] {
        defer { followsReturn = byte == 13 }
        switch state {
        case .start: return plain(byte)
        case .character(let bytes, let length): return character(bytes, length, byte)
        case .escape: return afterEscape(byte)
        case .shifted:
            state = .start
            return isPasting ? [] : Self.keys[[byte]].map { [$0] } ?? []
        case .sequence(let bytes):
            guard !(0x40...0x7E).contains(byte) else {
                state = .start
                return sequence(bytes + [byte])
            }
            // No key has a longer sequence.
            state = bytes.count < 16 ? .sequence(bytes + [byte]) : .start
            return []
        }
    }

    /// Ends a key that no byte has followed for a while: the key Escape.
    package mutating func timeOut() -> [Key] {
        guard case .escape = state else { return [] }
        state = .start
        return isPasting ? [] : [.escape]
    }

    private mutating func plain(_ byte: UInt8) -> [Key] {
        switch byte {
        case 27:
            state = .escape
            return []
        // A terminal sends a carriage return for each line break of a paste, or the bytes of the text.
        case 10 where isPasting && followsReturn: return []
        case 10 where isPasting, 13 where isPasting: return [.text("\n")]
        case 9 where isPasting: return [.text("\t")]
        case 0x20..<0x7F: return [.text(Unicode.Scalar(byte))]
        case 0xC2..<0xE0: state = .character([byte], length: 2)
        case 0xE0..<0xF0: state = .character([byte], length: 3)
        case 0xF0..<0xF5: state = .character([byte], length: 4)
        case 0x80...: return [.text("\u{FFFD}")]
        case _ where isPasting: return []
        case 9: return [.tab]
        case 10, 13: return [.enter]
        case 8, 127: return [.backspace]
        case 1...26: return [.control(Character(Unicode.Scalar(byte + 0x60)))]
        default: return []
        }
        return []
    }

    private mutating func character(_ bytes: [UInt8], _ length: Int, _ byte: UInt8) -> [Key] {
        state = .start
        guard byte & 0xC0 == 0x80 else { return [.text("\u{FFFD}")] + plain(byte) }
        guard bytes.count + 1 == length else {
            state = .character(bytes + [byte], length: length)
            return []
        }
        return String(decoding: bytes + [byte], as: UTF8.self).unicodeScalars.map { .text($0) }
    }

    private mutating func afterEscape(_ byte: UInt8) -> [Key] {
        state = .start
        switch byte {
        // Some terminals send Alt as a second Escape.
        case 27: state = .escape
        case UInt8(ascii: "["): state = .sequence([])
        case UInt8(ascii: "O"): state = .shifted
        case _ where isPasting: break
        case 10, 13: return [.newline]
        case 8, 127: return [.eraseWord]
        case UInt8(ascii: "b"): return [.wordLeft]
        case UInt8(ascii: "f"): return [.wordRight]
        case UInt8(ascii: "d"): return [.deleteWord]
        case UInt8(ascii: "<"): return [.first]
        case UInt8(ascii: ">"): return [.last]
        default: break
        }
        return []
    }

    private mutating func sequence(_ bytes: [UInt8]) -> [Key] {
        if bytes.elementsEqual("200~".utf8) { isPasting = true }
        if bytes.elementsEqual("201~".utf8) { isPasting = false }
        return isPasting ? [] : Self.keys[bytes].map { [$0] } ?? []
    }

    /// The keys by the bytes after ESC [ or ESC O, from xterm, rxvt, the Linux console, kitty and tmux.
    private static let keys: [[UInt8]: Key] = {
        var keys: [[UInt8]: Key] = [:]
        let spellings: [(Key, [String])] = [
            (.up, ["A", "1;2A"]), (.down, ["B", "1;2B"]), (.right, ["C", "1;2C"]), (.left, ["D", "1;2D"]),
            (.home, ["H", "1~", "7~", "1;2H"]), (.end, ["F", "4~", "8~", "1;2F"]), (.delete, ["3~"]),
            (.wordLeft, ["1;5D", "1;3D", "1;9D", "d", "5D"]), (.wordRight, ["1;5C", "1;3C", "1;9C", "c", "5C"]),
            (.deleteWord, ["3;5~", "3;3~"]), (.eraseWord, ["127;5u", "127;3u"]),
            (.first, ["1;5H", "5~"]), (.last, ["1;5F", "6~"]),
            (.newline, ["13;2u", "13;3u", "13;5u", "27;2;13~", "27;3;13~", "27;5;13~", "M"]),
        ]
        for (key, texts) in spellings {
            for text in texts { keys[Array(text.utf8)] = key }
        }
        return keys
    }()
}
