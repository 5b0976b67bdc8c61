// Where text that arrives in pieces has to end: at stop strings, and at lines with too little indentation.

/// Searches text for stop strings. It withholds only text that may be the beginning of a stop string.
///
/// The text ends before the stop string whose last byte comes first. If several end there, it ends before the longest of them.
/// Comparison is by UTF-8 bytes, so the result does not depend on where the pieces begin and end.
package struct StopMatcher {
    private let stops: [[UInt8]]
    private var withheld: [UInt8] = []
    /// The stop string that has appeared.
    package private(set) var match: String?
    /// Whether a stop string has appeared.
    package var isStopped: Bool { match != nil }

    /// A matcher for `stops`, none of them empty.
    package init(_ stops: [String]) { self.stops = stops.map { Array($0.utf8) } }

    /// Takes the next piece of text and returns the text that can be shown.
    package mutating func append(_ piece: String) -> String {
        if isStopped { return "" }
        if stops.isEmpty { return piece }
        for byte in piece.utf8 {
            withheld.append(byte)
            let match = stops.filter { withheld.count >= $0.count && withheld.suffix($0.count).elementsEqual($0) }
                .max { $0.count < $1.count }
            if let match {
                self.match = String(decoding: match, as: UTF8.self)
                withheld.removeLast(match.count)
                return flush()
            }
        }
        let visible = withheld.prefix(withheld.count - undecidedCount)
        withheld.removeFirst(visible.count)
        return String(decoding: visible, as: UTF8.self)
    }

    /// Returns the withheld text at the end of all text.
    package mutating func flush() -> String {
        defer { withheld.removeAll() }
        return String(decoding: withheld, as: UTF8.self)
    }

    /// The length of the longest tail of the withheld text that is the beginning of a stop string. A stop string begins with a
    /// whole character, so the tail does too.
    private var undecidedCount: Int {
        let longest = stops.reduce(0) { max($0, $1.count - 1) }
        let lengths = stride(from: min(longest, withheld.count), to: 0, by: -1)
        return lengths.first { length in
            stops.contains { $0.count > length && $0.starts(with: withheld.suffix(length)) }
        } ?? 0
    }
}

/// Searches text for a line, after the first one, that begins with too few spaces and tabs. It withholds only the indentation of a
/// line. Blank lines may have any.
package struct IndentationMatcher {
    private let minimum: Int
    /// The line breaks and the indentation that belong to a line without other text so far.
    private var withheld = ""
    private var indentation = 0
    /// Whether the current line, not the first, has had no other text so far.
    private var isAtStart = false
    /// Whether such a line has appeared.
    package private(set) var isStopped = false
    /// Whether there was a line break.
    package private(set) var hasNewline = false

    /// A matcher for lines with less than `minimum` spaces and tabs.
    package init(minimum: Int) { self.minimum = minimum }

    /// Takes the next piece of text and returns the text that can be shown.
    package mutating func append(_ piece: String) -> String {
        if isStopped { return "" }
        if !hasNewline { hasNewline = piece.utf8.contains(0x0A) }
        guard minimum > 0, hasNewline else { return piece }
        var visible = ""
        for scalar in piece.unicodeScalars {
            switch scalar {
            case "\n":
                (isAtStart, indentation) = (true, 0)
                withheld.unicodeScalars.append(scalar)
            case " ", "\t", "\r":
                indentation += scalar == "\r" ? 0 : 1
                withheld.unicodeScalars.append(scalar)
            default:
                if isAtStart, indentation < minimum {
                    isStopped = true
                    return visible
                }
                isAtStart = false
                visible += flush()
                visible.unicodeScalars.append(scalar)
            }
        }
        return isAtStart ? visible : visible + flush()
    }

    /// Returns the withheld text at the end of all text.
    package mutating func flush() -> String {
        defer { withheld = "" }
        return isStopped ? "" : withheld
    }
}
