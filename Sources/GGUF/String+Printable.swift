// Text from a file, made fit for a message.

extension String {
    /// The text as a message may quote it: at most 80 characters, with line breaks, terminal escapes and invisible
    /// characters written as `\u{…}`, so that a hostile file can neither flood nor steer the reader's terminal.
    package var printable: String {
        var result = ""
        var scalars = unicodeScalars.makeIterator()
        for _ in 0..<80 {
            guard let scalar = scalars.next() else { return result }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return scalars.next() == nil ? result : result + "…"
    }
}
