// Text from a file, made fit for a message.

extension String {
    /// The text as a message may quote it: at most 80 characters, ``escaped``, so that a hostile file can neither flood nor
    /// steer the reader's terminal.
    package var printable: String {
        var rest = unicodeScalars[...]
        let start = String(rest.prefix(80))
        rest = rest.dropFirst(80)
        return rest.isEmpty ? start.escaped : start.escaped + "…"
    }

    /// The text with line breaks, terminal escapes and invisible characters written as `\u{…}`.
    package var escaped: String {
        // Almost every text is of these alone.
        if utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return self }
        var result = ""
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
