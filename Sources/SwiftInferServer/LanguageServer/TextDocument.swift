// A text document that an editor has open, and positions in it.

#if Server

/// The text of a document. Lines end with "\n", "\r\n" or "\r" (LSP 3.18, "Text Documents").
package struct TextDocument: Sendable {
    /// How positions within a line are counted (LSP 3.18, `PositionEncodingKind`).
    package enum Encoding: String, Sendable {
        case utf8 = "utf-8"
        case utf16 = "utf-16"
        case utf32 = "utf-32"
    }

    /// A place between two characters. Both numbers start at 0.
    package struct Position: Sendable, Equatable {
        package var line: Int, character: Int

        /// The place before character `character` of line `line`.
        package init(line: Int, character: Int) { (self.line, self.character) = (line, character) }
    }

    /// The text in UTF-8.
    package private(set) var bytes: [UInt8]

    /// A document of this text.
    package init(_ text: String) { bytes = Array(text.utf8) }

    /// Replaces the text between two positions.
    package mutating func replace(_ range: (start: Position, end: Position), by text: String, _ encoding: Encoding) {
        let start = offset(of: range.start, encoding)
        bytes.replaceSubrange(start..<max(start, offset(of: range.end, encoding)), with: text.utf8)
    }

    /// The text before and after a position.
    package func split(at position: Position, _ encoding: Encoding) -> (prefix: String, suffix: String) {
        let offset = offset(of: position, encoding)
        return (String(decoding: bytes[..<offset], as: UTF8.self), String(decoding: bytes[offset...], as: UTF8.self))
    }

    /// The index in ``bytes`` of a position. A position behind the end of its line is the end of the line, and one behind the last
    /// line is the end of the text. Within a character of two UTF-16 units, it is the beginning of the character.
    package func offset(of position: Position, _ encoding: Encoding) -> Int {
        var index = 0
        for _ in 0..<max(0, position.line) {
            guard let next = nextLine(after: index) else { return bytes.count }
            index = next
        }
        var left = position.character
        while index < bytes.count, bytes[index] != 0x0A, bytes[index] != 0x0D {
            let length = Self.length(lead: bytes[index])
            let units =
                switch encoding {
                case .utf8: length
                case .utf16: length == 4 ? 2 : 1
                case .utf32: 1
                }
            guard units <= left else { break }
            left -= units
            index = min(index + length, bytes.count)
        }
        return index
    }

    /// The beginning of the line after the one that `index` is in; nil after the last line.
    private func nextLine(after index: Int) -> Int? {
        guard let end = bytes[index...].firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) else { return nil }
        let isPair = bytes[end] == 0x0D && end + 1 < bytes.count && bytes[end + 1] == 0x0A
        return end + (isPair ? 2 : 1)
    }

    /// The bytes of a character that begins with `lead`.
    private static func length(lead: UInt8) -> Int {
        switch lead {
        case ..<0xC0: 1
        case ..<0xE0: 2
        case ..<0xF0: 3
        default: 4
        }
    }
}

#endif
