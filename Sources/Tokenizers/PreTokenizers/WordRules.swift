// The splitting rules of GPT-2, Llama 3, Kimi, BLOOM, Chameleon, and the models that tell upper case from lower case.

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
    /// Whether a piece goes on over the marks after its letters, and over single spaces between words (EXAONE MoE).
    var spacesJoinWords = false
    /// Whether an English contraction is a piece. False for Ufakzeka, a Turkish model.
    var splitsContractions = true
    /// Maximum number of line breaks that a piece of punctuation includes: 0 for Seed-Coder, 1 for EXAONE MoE.
    var newlinesAfterPunctuation = Int.max
    /// Whether white space is cut into pieces whose lengths are powers of two (Jais 2).
    var halvesWhitespace = false

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
        if let end = endOfContraction(text, from: start, ignoringCase: true), splitsContractions { return end }
        let first = text[start]
        if first.isNumber { return endOfNumber(text, from: start, limit: digits) }
        if isWord(first) || !first.isNewline && isWord(text[start + 1]) {
            if spacesJoinWords { return endOfPhrase(text, from: start + 1) }
            return text.end(from: start + 1) { isWord($0) }
        }
        let body = first == " " ? start + 1 : start
        if isPunctuation(text[body]) {
            let end = text.end(from: body) { isPunctuation($0) }
            let newlines = text.end(from: end) { $0.isNewline } - end
            return end + min(newlines, newlinesAfterPunctuation)
        }
        if halvesWhitespace { return endOfHalvedWhitespace(text, from: start) }
        return endOfWhitespace(text, from: start, breakingLines: true)
    }

    /// The end of a run of letters, marks, and single spaces before letters.
    private func endOfPhrase(_ text: ScalarText.Window, from start: Int) -> Int {
        var end = start
        while true {
            if text[end].isLetterOrMark {
                end += 1
            } else if text[end] == " ", text[end + 1].isLetter {
                end += 2
            } else {
                return end
            }
        }
    }

    /// The end of the white space at `start`: after its last line break; otherwise after the largest power of two, up to 512, that
    /// leaves at least one white space for a following character; after the only one if there is no other.
    private func endOfHalvedWhitespace(_ text: ScalarText.Window, from start: Int) -> Int {
        let end = text.end(from: start) { $0.isWhitespace }
        if let newline = (start..<end).last(where: { text[$0].isNewline }) { return newline + 1 }
        let count = text[end].exists ? end - start - 1 : end - start
        var length = 512
        while length > count, length > 1 { length /= 2 }
        return start + length
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
    /// How words are made of letters and marks.
    enum Words: Sendable {
        /// Upper-case letters before lower-case letters.
        case cased
        /// The same, where a combining mark counts as a letter of both cases (Granite Embedding).
        case casedWithMarks
        /// Letters and marks of any case.
        case uncasedWithMarks
    }

    /// Maximum number of digits in a piece: 3 for GPT-4o, 1 for Tekken.
    var digits: Int
    /// Whether a word includes a contraction after it, such as `'s`.
    var contractionsJoinWords = true
    var words = Words.cased

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
        if let end = endOfWord(text, from: start) {
            return contractionsJoinWords ? endOfContraction(text, from: end, ignoringCase: true) ?? end : end
        }
        let body = first == " " ? start + 1 : start
        if text[body].isOther {
            let end = text.end(from: body) { $0.isOther }
            return text.end(from: end) { $0.isNewline || $0 == "/" }
        }
        return endOfWhitespace(text, from: start, breakingLines: true)
    }

    /// The end of the word at `start`, which can begin with one other character; nil if there is no word.
    @inline(__always)
    private func endOfWord(_ text: ScalarText.Window, from start: Int) -> Int? {
        let members =
            words == .cased ? ClassifiedScalar.letterFlag : ClassifiedScalar.letterFlag | ClassifiedScalar.markFlag
        let first = text[start]
        let follows = !first.isLetter && !first.isNewline && text[start + 1].has(members)
        guard follows || first.has(members) else { return nil }
        let word = follows ? start + 1 : start
        if words == .uncasedWithMarks { return text.end(from: word) { $0.has(members) } }
        let (end, hasLower) = endOfCasedWord(text, word, members)
        // A leading mark can be the other character or a word of its own. A word with a letter of lower case comes first.
        return !hasLower && first.isMark && first.has(members) ? start + 1 : end
    }

    /// The end of a word: `U*L+|U+L*`, where U is any member except a–z and L any member except A–Z; and whether the first
    /// alternative applies.
    private func endOfCasedWord(
        _ text: ScalarText.Window, _ start: Int, _ members: UInt8
    ) -> (end: Int, hasLower: Bool) {
        var upperEnd = start
        var lastBoth: Int?
        while text[upperEnd].has(members), !text[upperEnd].isASCIILowercase {
            if !text[upperEnd].isASCIIUppercase { lastBoth = upperEnd }
            upperEnd += 1
        }
        if text[upperEnd].isASCIILowercase {
            return (text.end(from: upperEnd) { $0.has(members) && !$0.isASCIIUppercase }, true)
        }
        // No lower-case letter follows. The first alternative can still end after the last letter that counts as both.
        if let lastBoth { return (lastBoth + 1, true) }
        return (upperEnd, false)
    }
}

/// The rule of Kimi K2 as in llama.cpp: Chinese characters, words of other letters with at most one leading character and a
/// contraction after them, and numbers, punctuation and white space as in cl100k.
struct KimiRule: SplitRule {
    func split(_ text: ScalarText.Window, into ends: inout [Int]) {
        var start = text.range.lowerBound
        while start < text.range.upperBound {
            start = end(text, start)
            ends.append(start)
        }
    }

    private func end(_ text: ScalarText.Window, _ start: Int) -> Int {
        let first = text[start]
        if isChinese(first) { return text.end(from: start) { isChinese($0) } }
        if first.isNumber { return endOfNumber(text, from: start, limit: 3) }
        if first.isLetter || !first.isNewline && isWord(text[start + 1]) {
            let end = text.end(from: start + 1) { isWord($0) }
            return endOfContraction(text, from: end, ignoringCase: true) ?? end
        }
        let body = first == " " ? start + 1 : start
        if text[body].isOther {
            let end = text.end(from: body) { $0.isOther }
            return text.end(from: end) { $0.isNewline }
        }
        return endOfWhitespace(text, from: start, breakingLines: true)
    }

    private func isWord(_ scalar: ClassifiedScalar) -> Bool { scalar.isLetter && !isChinese(scalar) }

    /// Whether the scalar is in a block of Chinese characters.
    private func isChinese(_ scalar: ClassifiedScalar) -> Bool {
        switch scalar.value {
        case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2EBEF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}

/// BLOOM's words: everything but white space and common marks of sentences, with at most one space before it.
struct BloomRule: MatchingRule {
    private static let marks: Set<UInt32> = [
        0x28, 0x29, 0x7C, 0x2E, 0x2C, 0x21, 0x3F, 0x2026, 0x3002, 0xFF0C, 0x3001, 0x964, 0x6D4, 0x60C,
    ]

    func end(_ text: ScalarText.Window, _ start: Int) -> Int? {
        func isWord(_ scalar: ClassifiedScalar) -> Bool {
            scalar.exists && !scalar.isWhitespace && !Self.marks.contains(scalar.value)
        }
        let body = text[start] == " " ? start + 1 : start
        return isWord(text[body]) ? text.end(from: body) { isWord($0) } : nil
    }
}

/// The rules of Chameleon for the spellings of images and for indentation.
enum ChameleonRule: MatchingRule {
    /// `<sentinel:` with a number and `>`.
    case sentinel
    /// `IMGIMG`, one to four letters A–I, and `Z`.
    case image
    /// A tab, a line feed, four spaces, or two spaces.
    case indent

    func end(_ text: ScalarText.Window, _ start: Int) -> Int? {
        switch self {
        case .sentinel:
            guard let digits = endOf("<sentinel:", text, start) else { return nil }
            let end = text.end(from: digits) { (48...57).contains($0.value) }
            return end > digits && text[end] == ">" ? end + 1 : nil
        case .image:
            guard let letters = endOf("IMGIMG", text, start) else { return nil }
            let end = text.end(from: letters) { (65...73).contains($0.value) }
            return (1...4).contains(end - letters) && text[end] == "Z" ? end + 1 : nil
        case .indent:
            if text[start] == "\t" || text[start] == "\n" { return start + 1 }
            let end = text.end(from: start) { $0 == " " }
            return end - start >= 4 ? start + 4 : end - start >= 2 ? start + 2 : nil
        }
    }

    private func endOf(_ spelling: String, _ text: ScalarText.Window, _ start: Int) -> Int? {
        var index = start
        for scalar in spelling.unicodeScalars {
            guard text[index] == scalar else { return nil }
            index += 1
        }
        return index
    }
}
