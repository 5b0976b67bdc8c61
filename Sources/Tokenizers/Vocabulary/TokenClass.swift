// What part of a program's text a token is.

/// A coarse class of tokens, by their bytes alone, so that it is there for every vocabulary and language.
package enum TokenClass: UInt8, CaseIterable, Sendable {
    /// No text: control tokens, and what is no token.
    case control
    /// With a line break in it: what comes next begins a line.
    case lineBreak
    /// Spaces and tabs alone.
    case space
    /// A word, or the beginning of one: letters after a space.
    case word
    /// Letters that follow no space: the rest of a word, or one after a sign.
    case wordPart
    /// Begins with a digit.
    case number
    /// Ends with an opening bracket.
    case opening
    /// Ends with a closing bracket.
    case closing
    /// Any other sign.
    case sign

    /// The class of a token of that text.
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
        // Beyond ASCII there are letters, nearly always.
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
    /// What part of a text `token` is.
    package func tokenClass(of token: TokenID) -> TokenClass {
        isControl(token) ? .control : TokenClass(bytes(of: token))
    }
}
