// The last stage of DeepSeek V3's rule.

/// ``[!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+``;
/// what it leaves out (numbers, control characters) becomes pieces of its own.
struct DeepSeekV3Rule: SplitRule {
    func split(_ text: ScalarText.Window, into ends: inout [Int]) {
        var gap = text.range.lowerBound
        var start = gap
        while start < text.range.upperBound {
            guard let end = end(text, start) else {
                start += 1
                continue
            }
            if start > gap { ends.append(start) }
            ends.append(end)
            gap = end
            start = end
        }
        if gap < text.range.upperBound { ends.append(text.range.upperBound) }
    }

    private func end(_ text: ScalarText.Window, _ start: Int) -> Int? {
        let first = text[start]
        if first.isPunctuationOrSymbol, first.value < 0x80, text[start + 1].isASCIILetter {
            return text.end(from: start + 1) { $0.isASCIILetter }
        }
        let mayPrecedeWord = !first.isNewline && !first.isPunctuationOrSymbol
        if first.isLetterOrMark || mayPrecedeWord && text[start + 1].isLetterOrMark {
            return text.end(from: start + 1) { $0.isLetterOrMark }
        }
        let body = first == " " ? start + 1 : start
        if text[body].isPunctuationOrSymbol {
            let end = text.end(from: body) { $0.isPunctuationOrSymbol }
            return text.end(from: end) { $0.isNewline }
        }
        return first.isWhitespace ? endOfWhitespace(text, from: start, breakingLines: true) : nil
    }
}
