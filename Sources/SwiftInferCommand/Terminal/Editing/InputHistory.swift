// The texts that were typed before: walking through them, searching, and their lines in a file.

/// Earlier texts, oldest first, and the place of a walk through them.
package struct InputHistory {
    /// The texts.
    package private(set) var entries: [String]
    /// The entry that is shown; the number of entries for the text that was being typed.
    private var place: Int
    /// The text that was being typed when the walk began.
    private var typed = ""

    /// The number of entries that are kept.
    package static let limit = 1000
    /// Texts with more bytes are not kept.
    static let longestEntry = 1 << 16

    /// A history of these texts.
    package init(_ entries: [String] = []) {
        self.entries = Array(entries.suffix(Self.limit))
        place = self.entries.count
    }

    /// Adds a text as the newest. The walk ends.
    ///
    /// - Returns: Whether it is kept: not if it is blank, equal to the newest, or very long.
    package mutating func add(_ text: String) -> Bool {
        defer { rest() }
        guard text.contains(where: { !$0.isWhitespace }), text != entries.last, text.utf8.count <= Self.longestEntry
        else {
            return false
        }
        entries.append(text)
        if entries.count > Self.limit { entries.removeFirst() }
        return true
    }

    /// Ends the walk.
    package mutating func rest() { (place, typed) = (entries.count, "") }

    /// The text before the shown one; nil if it is the oldest.
    ///
    /// - Parameter text: What is shown.
    package mutating func older(than text: String) -> String? { step(to: place - 1, from: text) }

    /// The text after the shown one; nil if it is the one that was being typed.
    package mutating func newer(than text: String) -> String? { step(to: place + 1, from: text) }

    /// The oldest text.
    package mutating func oldest(from text: String) -> String? { step(to: 0, from: text) }

    /// The text that was being typed.
    package mutating func newest(from text: String) -> String? { step(to: entries.count, from: text) }

    private mutating func step(to next: Int, from text: String) -> String? {
        guard (0...entries.count).contains(next), next != place else { return nil }
        if place == entries.count { typed = text }
        place = next
        return next == entries.count ? typed : entries[next]
    }

    /// The number of the newest entry that contains `query`, in any case.
    ///
    /// - Parameters:
    ///   - query: What to look for; a query that is empty finds nothing.
    ///   - range: The entries to look at.
    package func newestMatch(_ query: String, in range: Range<Int>) -> Int? {
        let query = query.lowercased()
        guard !query.isEmpty else { return nil }
        return range.clamped(to: 0..<entries.count).last { entries[$0].lowercased().contains(query) }
    }

    // MARK: The file

    /// The text as a line of the file: line breaks and backslashes are escaped.
    package static func line(of text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\\": line += "\\\\"
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line + "\n"
    }

    /// The text of a line of the file, without its line break.
    package static func text(of line: some StringProtocol) -> String {
        var text = ""
        var isEscaped = false
        for scalar in line.unicodeScalars {
            switch scalar {
            case "\\" where !isEscaped:
                isEscaped = true
                continue
            case "n" where isEscaped: text += "\n"
            case "r" where isEscaped: text += "\r"
            default: text.unicodeScalars.append(scalar)
            }
            isEscaped = false
        }
        return text
    }
}
