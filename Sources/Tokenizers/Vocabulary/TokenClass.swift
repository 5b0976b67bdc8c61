// A coarse class of tokens in source code.

/// A coarse class of tokens. It depends only on their bytes, so it works for every vocabulary and programming language.
package enum TokenClass: UInt8, CaseIterable, Sendable {
    /// No text: control tokens, and ids outside the vocabulary.
    case control
    /// Contains a line break.
    case lineBreak
    /// Only spaces and tabs.
    case space
    /// Letters after a space: a word, or the beginning of one.
    case word
    /// Letters without a space before them: the rest of a word, or a word after a sign.
    case wordPart
    /// Begins with a digit.
    case number
    /// Ends with an opening bracket.
    case opening
    /// Ends with a closing bracket.
    case closing
    /// Any other character.
    case sign

    /// The class of a token with these bytes.
    package init(_ bytes: some Sequence<UInt8>) {
        var isSpaced = false
        var first: UInt8?
        var last: UInt8 = 0
        for byte in bytes {
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                self = .lineBreak
                return
            }
            let isSpace = byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
            if first == nil {
                if isSpace { isSpaced = true } else { first = byte }
            }
            if !isSpace { last = byte }
        }
        guard let first else {
            self = isSpaced ? .space : .control
            return
        }
        switch (first, last) {
        case (UInt8(ascii: "0")...UInt8(ascii: "9"), _): self = .number
        // Outside ASCII almost all characters are letters.
        case (UInt8(ascii: "a")...UInt8(ascii: "z"), _), (UInt8(ascii: "A")...UInt8(ascii: "Z"), _),
            (UInt8(ascii: "_"), _), (0x80..., _):
            self = isSpaced ? .word : .wordPart
        case (_, UInt8(ascii: "(")), (_, UInt8(ascii: "[")), (_, UInt8(ascii: "{")): self = .opening
        case (_, UInt8(ascii: ")")), (_, UInt8(ascii: "]")), (_, UInt8(ascii: "}")): self = .closing
        default: self = .sign
        }
    }
}

extension Tokenizer {
    /// The class of `token`.
    package func tokenClass(of token: TokenID) -> TokenClass {
        isControl(token) ? .control : TokenClass(bytes(of: token))
    }
}
