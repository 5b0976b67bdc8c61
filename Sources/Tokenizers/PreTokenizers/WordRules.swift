// The splitting rules of GPT-2, Llama 3, and the models that tell upper case from lower case.

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

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
/// ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+` (cl100k, OpenAI tiktoken), and its variants.
struct Llama3Rule: SplitRule {
    /// Maximum number of digits in a piece: 3 for Llama 3, 1 for Qwen.
    var digits: Int
    /// Whether combining marks belong to words, like letters (Qwen 3.5).
    var marksJoinWords = false
    /// Whether a piece of punctuation includes the line breaks after it. False for Seed-Coder.
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

/// o200k (OpenAI tiktoken) and Tekken (Mistral AI). A word is upper-case letters followed by lower-case letters, with at most
/// one leading character that is not a letter, number or line break. Numbers, punctuation and white space are as in cl100k.
///
/// The published rules distinguish case in all scripts. Like llama.cpp, this rule distinguishes it only in ASCII and counts
/// every other letter as both.
struct CaseRule: SplitRule {
    /// Maximum number of digits in a piece: 3 for GPT-4o, 1 for Tekken.
    var digits: Int
    /// Whether a word includes a contraction after it, such as `'s`.
    var contractionsJoinWords: Bool

    func split(_ text: ScalarText.Window, into ends: inout [Int]) {
        var start = text.range.lowerBound
        while start < text.range.upperBound {
            start = end(text, start)
            ends.append(start)
        }
    }

    private func end(_ text: ScalarText.Window, _ start: Int) -> Int {
        let first = text[start]
        if first.isNumber { return endOfNumber(text, from: start, limit: digits) }
        let hasPrefix = !first.isLetter && !first.isNewline
        let word = hasPrefix ? start + 1 : start
        if text[word].isLetter {
            let end = endOfWord(text, word)
            return contractionsJoinWords ? endOfContraction(text, from: end, ignoringCase: true) ?? end : end
        }
        let body = first == " " ? start + 1 : start
        if text[body].isOther {
            let end = text.end(from: body) { $0.isOther }
            return text.end(from: end) { $0.isNewline || $0 == "/" }
        }
        return endOfWhitespace(text, from: start, breakingLines: true)
    }

    /// The end of a word: `U*L+|U+L*`, where U is any letter except a–z and L any letter except A–Z.
    private func endOfWord(_ text: ScalarText.Window, _ start: Int) -> Int {
        var upperEnd = start
        var lastBoth: Int?
        while text[upperEnd].isLetter, !text[upperEnd].isASCIILowercase {
            if !text[upperEnd].isASCIIUppercase { lastBoth = upperEnd }
            upperEnd += 1
        }
        if text[upperEnd].isASCIILowercase {
            return text.end(from: upperEnd) { $0.isLetter && !$0.isASCIIUppercase }
        }
        // No lower-case letter follows. The first alternative can still end after the last letter that counts as both.
        if let lastBoth { return lastBoth + 1 }
        return upperEnd
    }
}
