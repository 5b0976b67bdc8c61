// The number of columns that a character takes on a terminal.

extension Character {
    /// Columns on a terminal: two for East Asian scripts and emoji, none for what combines with the character before it.
    package var columns: Int {
        let scalars = unicodeScalars
        guard let first = scalars.first else { return 0 }
        // The fast path: almost every character is printable ASCII.
        if first.isASCII, scalars.count == 1 { return first.value >= 0x20 && first.value != 0x7F ? 1 : 0 }
        // Emoji of several scalars, such as families and flags, are one picture.
        if first.properties.isEmojiPresentation || scalars.contains("\u{FE0F}") && first.properties.isEmoji { return 2 }
        return scalars.reduce(0) { $0 + $1.columns }
    }
}

extension String {
    /// Columns of a line on a terminal. There are no tabs and line breaks in it.
    package var columns: Int { reduce(0) { $0 + $1.columns } }
}

extension Unicode.Scalar {
    /// Columns of the scalar alone, by the rules of wcwidth(3) in current C libraries.
    fileprivate var columns: Int {
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .control: return 0
        // The soft hyphen is drawn.
        case .format: return value == 0xAD ? 1 : 0
        default: break
        }
        switch value {
        // The vowels and final consonants of Hangul combine with the initial one.
        case 0x1160...0x11FF: return 0
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x17000...0x18AFF, 0x1B000...0x1B2FF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
