// The rule that ends words where upper case begins: Tekken and GPT-4o.

/// o200k (OpenAI tiktoken) and Tekken (Mistral AI): words are upper-case letters followed by lower-case ones, with one
/// leading character that is no letter, number or line break; then numbers, punctuation and white space as in cl100k.
///
/// The published rules tell case for all scripts; llama.cpp, and this, tell it for ASCII only and count every other
/// letter as both.
struct CaseRule: SplitRule {
    /// Digits that stay together: 3 for GPT-4o, 1 for Tekken.
    var digits: Int
    /// Whether a contraction such as `'s` belongs to the word before it.
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

    /// `U*L+|U+L*`, where U is any letter but a–z and L any letter but A–Z.
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
        // No lower-case letter follows: the first alternative can still end at the last letter that counts as one.
        if let lastBoth { return lastBoth + 1 }
        return upperEnd
    }
}
