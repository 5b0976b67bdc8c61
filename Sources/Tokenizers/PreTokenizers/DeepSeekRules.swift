// The splitting rules of the DeepSeek families and of their relatives.

/// The stages of DeepSeek's tokenizers, according to the `tokenizer.json` files of the models.
enum DeepSeekRules {
    static let coder: [any SplitRule] = [
        RunRule(members: .newlines, limit: 1),
        RunRule(members: .letters, takesSpace: true),
        RunRule(members: .punctuation, takesSpace: true),
        RunRule(members: .ranges(ideographs)),
        RunRule(members: .numbers, limit: 1),
    ]

    static let llm: [any SplitRule] = [
        RunRule(members: .newlines, limit: 1),
        RunRule(members: .ranges(casedLetters), takesSpace: true),
        RunRule(members: .ranges(punctuation), takesSpace: true),
        TrailingSpaceRule(),
        RunRule(members: .ranges(ideographs)),
        RunRule(members: .numbers),
    ]

    static let v3: [any SplitRule] = [
        RunRule(members: .numbers, limit: 3), RunRule(members: .ranges(chinese)), DeepSeekV3Rule(),
    ]

    static let spark: [any SplitRule] = [
        RunRule(members: .numbers, limit: 3), RunRule(members: .ranges(chinese)),
        DeepSeekV3Rule(joinsLineBreaks: false),
        RunRule(members: .numbers, limit: 1),
    ]

    /// Arcee's AFM models.
    static let afm: [any SplitRule] = [
        DigitGroupRule(members: .numbers, cuts: .afterGroups), RunRule(members: .ranges(asian)), DeepSeekV3Rule(),
    ]

    /// Ideographs and kana.
    static let chinese: [ClosedRange<UInt32>] = [0x3040...0x30FF, 0x4E00...0x9FA5]

    /// East and South-East Asian scripts, as llama.cpp has them: its last range of ideographs begins at U+8C48 instead of U+F900.
    private static let asian: [ClosedRange<UInt32>] = [
        0xE40...0xEFF, 0x1000...0x109F, 0x1100...0x11FF, 0x1780...0x17FF, 0x2F00...0x2FDF, 0x3040...0x30FF,
        0x3400...0x4DBF,
        0x4E00...0xFAFF, 0xFF65...0xFF9F,
    ]

    /// `[一-龥ࠀ-一가-퟿]`: U+0800 to U+9FA5, and Hangul.
    private static let ideographs: [ClosedRange<UInt32>] = [0x800...0x9FA5, 0xAC00...0xD7FF]

    private static let punctuation: [ClosedRange<UInt32>] = [
        0x21...0x2F, 0x3A...0x7E, 0x2018...0x201F, 0x3000...0x3002, 0xFF01...0xFF0F, 0xFF1A...0xFF5E,
    ]

    /// Letters of scripts that have case.
    private static let casedLetters: [ClosedRange<UInt32>] = [
        0x41...0x5A, 0x61...0x7A, 0xB5...0xB5, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x1BA, 0x1BC...0x1BF, 0x1C4...0x293,
        0x295...0x2AF, 0x370...0x373, 0x376...0x376, 0x377...0x377, 0x37B...0x37D, 0x37F...0x37F, 0x386...0x386,
        0x388...0x38A, 0x38C...0x38C, 0x38E...0x3A1, 0x3A3...0x3F5, 0x3F7...0x481, 0x48A...0x52F, 0x531...0x556,
        0x10A0...0x10C5, 0x13A0...0x13F5, 0x13F8...0x13FD, 0x1C90...0x1CBA, 0x1CBD...0x1CBF, 0x1D00...0x1D2B,
        0x1D6B...0x1D77, 0x1D79...0x1D9A, 0x1E00...0x1F15, 0x1F18...0x1F1D, 0x1F20...0x1F45, 0x1F48...0x1F4D,
        0x1F50...0x1F57, 0x1F59...0x1F59, 0x1F5B...0x1F5B, 0x1F5D...0x1F5D, 0x1F5F...0x1F7D, 0x1F80...0x1FB4,
        0x1FB6...0x1FBC, 0x1FBE...0x1FBE, 0x1FC2...0x1FC4, 0x1FC6...0x1FCC, 0x1FD0...0x1FD3, 0x1FD6...0x1FDB,
        0x1FE0...0x1FEC, 0x1FF2...0x1FF4, 0x1FF6...0x1FFC, 0x2102...0x2102, 0x2107...0x2107, 0x210A...0x2113,
        0x2115...0x2115, 0x2119...0x211D, 0x2124...0x2124, 0x2126...0x2126, 0x2128...0x2128, 0x212A...0x212D,
        0x212F...0x2134, 0x2139...0x2139, 0x213C...0x213F, 0x2145...0x2149, 0x214E...0x214E, 0x2183...0x2183,
        0x2184...0x2184, 0x2C00...0x2C7B, 0x2C7E...0x2CE4, 0x2CEB...0x2CEE, 0x2CF2...0x2CF2, 0x2CF3...0x2CF3,
        0xA640...0xA66D, 0xA680...0xA69B, 0xA722...0xA76F, 0xA771...0xA787, 0xA78B...0xA78E, 0xAB70...0xABBF,
        0xFB00...0xFB06, 0xFB13...0xFB17, 0xFF21...0xFF3A, 0xFF41...0xFF5A, 0x10400...0x1044F, 0x104B0...0x104D3,
        0x104D8...0x104FB, 0x10C80...0x10CB2, 0x10CC0...0x10CF2, 0x118A0...0x118DF, 0x1E900...0x1E943,
    ]
}

/// The last stage of DeepSeek V3:
/// ``[!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+``.
/// Text between the matches (numbers, control characters) becomes pieces too.
struct DeepSeekV3Rule: MatchingRule {
    /// Whether pieces of punctuation and of white space end after line breaks. If not, each line break is a piece (Spark).
    var joinsLineBreaks = true

    func end(_ text: ScalarText.Window, _ start: Int) -> Int? {
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
            return joinsLineBreaks ? text.end(from: end) { $0.isNewline } : end
        }
        if !joinsLineBreaks, first.isNewline { return start + 1 }
        return first.isWhitespace ? endOfWhitespace(text, from: start, breakingLines: joinsLineBreaks) : nil
    }
}
