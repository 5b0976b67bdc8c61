// A search for stop strings in text that arrives in pieces.

/// Searches text for stop strings. It withholds only text that may be the beginning of a stop string.
///
/// The text ends before the stop string whose last byte comes first. If several end there, it ends before the longest of them.
/// Comparison is by UTF-8 bytes, so the result does not depend on where the pieces begin and end.
package struct StopMatcher {
    private let stops: [[UInt8]]
    private var withheld: [UInt8] = []
    /// Whether a stop string has appeared.
    package private(set) var isStopped = false

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
                isStopped = true
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
