// The differences of two texts in the unified format, which `patch` and `git apply` read.

/// The differences of two texts, line by line.
package struct UnifiedDiff {
    /// A line of one text or of both, with its line feed if it has one. Bytes, because equal characters can have different ones.
    private struct Line {
        let bytes: ArraySlice<UInt8>
        /// ` ` for both texts, `-` for the old one alone, `+` for the new one alone.
        let mark: Character
    }

    private let lines: [Line]

    /// The number of unchanged lines around changed ones.
    private static let contextLength = 3

    /// Compares `old` with `new`.
    package init(from old: String, to new: String) {
        let (oldLines, newLines) = (Self.lines(of: old), Self.lines(of: new))
        let changes = newLines.difference(from: oldLines)
        var (removed, inserted) = (Set<Int>(), Set<Int>())
        for change in changes {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var lines: [Line] = []
        var (oldIndex, newIndex) = (0, 0)
        while oldIndex < oldLines.count || newIndex < newLines.count {
            if removed.contains(oldIndex) {
                lines.append(Line(bytes: oldLines[oldIndex], mark: "-"))
                oldIndex += 1
            } else if inserted.contains(newIndex) {
                lines.append(Line(bytes: newLines[newIndex], mark: "+"))
                newIndex += 1
            } else {
                lines.append(Line(bytes: newLines[newIndex], mark: " "))
                (oldIndex, newIndex) = (oldIndex + 1, newIndex + 1)
            }
        }
        self.lines = lines
    }

    private static func lines(of text: String) -> [ArraySlice<UInt8>] {
        var rest = Array(text.utf8)[...]
        var lines: [ArraySlice<UInt8>] = []
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.endIndex
            lines.append(rest[..<end])
            rest = rest[end...]
        }
        return lines
    }

    /// Whether the texts are equal.
    package var isEmpty: Bool { lines.allSatisfy { $0.mark == " " } }

    /// The number of lines of the new text alone, and of the old one alone.
    package var counts: (added: Int, removed: Int) {
        (lines.count { $0.mark == "+" }, lines.count { $0.mark == "-" })
    }

    /// The lines of the diff for a file of this name, each with its line feed; none for equal texts.
    package func text(name: String) -> [String] {
        guard !isEmpty else { return [] }
        return ["--- \(Self.quoted("a/" + name))\n", "+++ \(Self.quoted("b/" + name))\n"] + hunks.flatMap(text(of:))
    }

    /// A name as git writes it. A name with quotation marks, backslashes or control characters is quoted, with escapes. A tab follows a
    /// name with a space.
    private static func quoted(_ name: String) -> String {
        guard
            name.utf8.contains(where: {
                $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\")
            })
        else { return name.contains(" ") ? name + "\t" : name }
        let text = name.utf8.reduce(into: "") { text, byte in
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += "\\" + String(Character(Unicode.Scalar(byte)))
            case 0x20..<0x7F: text += String(Character(Unicode.Scalar(byte)))
            default: text += "\\" + String(byte / 64) + String(byte / 8 % 8) + String(byte % 8)
            }
        }
        return "\"\(text)\""
    }

    /// The stretches of lines that are shown: changes and what is around them. What would touch is one stretch.
    private var hunks: [Range<Int>] {
        var hunks: [Range<Int>] = []
        for index in lines.indices where lines[index].mark != " " {
            let start = max(index - Self.contextLength, 0)
            let end = min(index + Self.contextLength + 1, lines.count)
            if let last = hunks.last, start <= last.upperBound {
                hunks[hunks.count - 1] = last.lowerBound..<end
            } else {
                hunks.append(start..<end)
            }
        }
        return hunks
    }

    private func text(of hunk: Range<Int>) -> [String] {
        /// The first line, from 1, and the number of lines of the text that lacks lines with `mark`. A stretch without lines is
        /// named by the line before it.
        func range(without mark: Character) -> String {
            let count = lines[hunk].count { $0.mark != mark }
            let before = lines[..<hunk.lowerBound].count { $0.mark != mark }
            return "\(count == 0 ? before : before + 1),\(count)"
        }
        return ["@@ -\(range(without: "+")) +\(range(without: "-")) @@\n"]
            + lines[hunk].map { line in
                let text = "\(line.mark)\(String(decoding: line.bytes, as: UTF8.self))"
                return line.bytes.last == UInt8(ascii: "\n") ? text : text + "\n\\ No newline at end of file\n"
            }
    }
}
