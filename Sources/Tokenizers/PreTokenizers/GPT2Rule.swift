// The rule of GPT-2.

/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+` (OpenAI, gpt-2 `encoder.py`).
struct GPT2Rule: SplitRule {
    func split(_ text: ScalarText.Window, into ends: inout [Int]) {
        var start = text.range.lowerBound
        while start < text.range.upperBound {
            start = end(text, start)
            ends.append(start)
        }
    }

    private func end(_ text: ScalarText.Window, _ start: Int) -> Int {
        if let end = endOfContraction(text, from: start, ignoringCase: false) { return end }
        let body = text[start] == " " ? start + 1 : start
        let first = text[body]
        if first.isLetter { return text.end(from: body) { $0.isLetter } }
        if first.isNumber { return text.end(from: body) { $0.isNumber } }
        if first.isOther { return text.end(from: body) { $0.isOther } }
        return endOfWhitespace(text, from: start, breakingLines: false)
    }
}
