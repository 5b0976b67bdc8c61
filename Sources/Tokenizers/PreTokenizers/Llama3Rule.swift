// The rule of Llama 3 and its relatives, Qwen among them.

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
/// ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+` (cl100k, OpenAI tiktoken), with what its variants change.
struct Llama3Rule: SplitRule {
    /// Digits that stay together: 3 for Llama 3, 1 for Qwen.
    var digits: Int
    /// Whether marks belong to words, as letters do (Qwen 3.5).
    var marksJoinWords = false
    /// Whether punctuation takes the line breaks after it along; Seed-Coder's does not.
    var punctuationTakesNewlines = true

    func split(_ text: ScalarText.Window, into ends: inout [Int]) {
        var start = text.range.lowerBound
        while start < text.range.upperBound {
            start = end(text, start)
            ends.append(start)
        }
    }

    private func isWord(_ scalar: ClassifiedScalar) -> Bool {
        marksJoinWords ? scalar.isLetterOrMark : scalar.isLetter
    }

    private func end(_ text: ScalarText.Window, _ start: Int) -> Int {
        if let end = endOfContraction(text, from: start, ignoringCase: true) { return end }
        let first = text[start]
        if first.isNumber { return endOfNumber(text, from: start, limit: digits) }
        if isWord(first) || !first.isNewline && isWord(text[start + 1]) {
            return text.end(from: start + 1) { isWord($0) }
        }
        let body = first == " " ? start + 1 : start
        if isPunctuation(text[body]) {
            let end = text.end(from: body) { isPunctuation($0) }
            return punctuationTakesNewlines ? text.end(from: end) { $0.isNewline } : end
        }
        return endOfWhitespace(text, from: start, breakingLines: true)
    }

    private func isPunctuation(_ scalar: ClassifiedScalar) -> Bool {
        marksJoinWords ? scalar.isOtherThanMark : scalar.isOther
    }
}
