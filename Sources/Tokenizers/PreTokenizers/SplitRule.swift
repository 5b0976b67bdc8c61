// What all splitting rules have in common.

/// A rule that divides text into pieces. Each stands for one regular expression of the published tokenizers, and runs
/// in time linear in the text.
protocol SplitRule: Sendable {
    /// Appends the ends of the pieces of `text`, in order; the last one is the end of `text`.
    func split(_ text: ScalarText.Window, into ends: inout [Int])
}

extension SplitRule {
    /// The end of the white space at `start` under the usual three alternatives, `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the
    /// last line break, else all but the last space before a word, else all.
    @inline(__always)
    func endOfWhitespace(_ text: ScalarText.Window, from start: Int, breakingLines: Bool) -> Int {
        var end = start
        var afterNewline = start
        while text[end].isWhitespace {
            end += 1
            if text[end - 1].isNewline { afterNewline = end }
        }
        if breakingLines, afterNewline > start { return afterNewline }
        return end - start > 1 && text[end].exists ? end - 1 : end
    }

    /// The end of the number that begins at `start`, of at most `limit` digits.
    @inline(__always)
    func endOfNumber(_ text: ScalarText.Window, from start: Int, limit: Int) -> Int {
        var end = start
        while end - start < limit, text[end].isNumber { end += 1 }
        return end
    }

    /// The end of an English contraction (`'s 't 're 've 'm 'll 'd`) at `start`; nil when there is none.
    @inline(__always)
    func endOfContraction(_ text: ScalarText.Window, from start: Int, ignoringCase: Bool) -> Int? {
        guard text[start] == "'" else { return nil }
        func letter(_ offset: Int) -> UInt32 {
            let scalar = text[start + offset]
            return ignoringCase && scalar.isASCIIUppercase ? scalar.value + 32 : scalar.value
        }
        switch Unicode.Scalar(letter(1)) {
        case "s", "t", "m", "d": return start + 2
        case "r", "v": return letter(2) == 101 ? start + 3 : nil
        case "l": return letter(2) == 108 ? start + 3 : nil
        default: return nil
        }
    }
}
