// Text from tokens as they arrive.

/// Turns tokens into text one at a time. A character spread over several tokens is held back until it is whole, so that
/// what has been returned never has to change; all returned strings together are what the bytes of all tokens read as
/// UTF-8.
public struct StreamingDetokenizer: Sendable {
    private let tokenizer: Tokenizer
    private let includesControl: Bool
    private var stripsSpace: Bool
    /// The beginning of a character, at most three bytes.
    private var pending: [UInt8] = []

    /// A detokenizer for tokens that continue a prompt, or that begin a text.
    ///
    /// - Parameters:
    ///   - beginsText: Whether the first token begins a text, so that the space which encoding puts there is taken
    ///     away.
    ///   - includesControl: Whether control tokens appear, by their spelling.
    public init(_ tokenizer: Tokenizer, beginsText: Bool = false, includesControl: Bool = false) {
        self.tokenizer = tokenizer
        self.includesControl = includesControl
        stripsSpace = beginsText && tokenizer.addsSpacePrefix
    }

    /// The bytes of the next token.
    mutating func bytes(of token: TokenID) -> ArraySlice<UInt8> {
        guard includesControl || !tokenizer.isControl(token) else { return [] }
        let bytes = tokenizer.bytes(of: token)
        let stripped = stripsSpace && bytes.first == 0x20 ? bytes.dropFirst() : bytes
        stripsSpace = false
        return stripped
    }

    /// The text that `token` completes; empty while a character is incomplete.
    public mutating func append(_ token: TokenID) -> String {
        pending.append(contentsOf: bytes(of: token))
        let complete = pending.count - Self.incompleteSuffix(of: pending)
        defer { pending.removeFirst(complete) }
        return String(decoding: pending[..<complete], as: UTF8.self)
    }

    /// What is left when no more tokens come: U+FFFD for a character that stayed incomplete, else nothing.
    public mutating func finish() -> String {
        defer { pending = [] }
        return String(decoding: pending, as: UTF8.self)
    }

    /// Length of the beginning of a character at the end of `bytes` that further bytes could complete.
    private static func incompleteSuffix(of bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let lead = bytes[bytes.count - length]
            if lead & 0xC0 == 0x80 { continue }
            guard length < UTF8Pattern.length(lead: lead), lead >= 0xC2, lead < 0xF5 else { return 0 }
            guard length > 1 else { return 1 }
            // The second byte of some sequences is confined, against overlong forms, surrogates and values out of range.
            let second = bytes[bytes.count - length + 1]
            switch lead {
            case 0xE0: return second >= 0xA0 ? length : 0
            case 0xED: return second < 0xA0 ? length : 0
            case 0xF0: return second >= 0x90 ? length : 0
            case 0xF4: return second < 0x90 ? length : 0
            default: return length
            }
        }
        return 0
    }
}
