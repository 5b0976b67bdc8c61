// What each token stands for in text, and text from tokens as they arrive.

import InferGGUF

/// Turns tokens into text one at a time. It holds back an incomplete character, so returned text never changes later. All
/// returned strings together are the bytes of all tokens decoded as UTF-8.
public struct StreamingDetokenizer: Sendable {
    private let tokenizer: Tokenizer
    private let includesControl: Bool
    private var stripsSpace: Bool
    /// The bytes of an incomplete character, at most three.
    private var pending: [UInt8] = []

    /// Creates a detokenizer.
    ///
    /// - Parameters:
    ///   - tokenizer: The tokenizer of the tokens.
    ///   - beginsText: Whether the first token begins a text; if so, the space that encoding puts there is removed.
    ///     False for tokens that continue a prompt.
    ///   - includesControl: Whether the spelling of control tokens is included.
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

    /// The text that is complete with `token`; empty if a character is still incomplete.
    public mutating func append(_ token: TokenID) -> String {
        pending.append(contentsOf: bytes(of: token))
        let complete = pending.count - Self.incompleteSuffix(of: pending)
        defer { pending.removeFirst(complete) }
        return String(decoding: pending[..<complete], as: UTF8.self)
    }

    /// The rest after the last token: U+FFFD for an incomplete character, otherwise empty.
    public mutating func finish() -> String {
        defer { pending = [] }
        return String(decoding: pending, as: UTF8.self)
    }

    /// Number of bytes at the end of `bytes` that begin a character and that further bytes could complete.
    private static func incompleteSuffix(of bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let lead = bytes[bytes.count - length]
            if lead & 0xC0 == 0x80 { continue }
            guard length < UTF8Pattern.length(lead: lead), lead >= 0xC2, lead < 0xF5 else { return 0 }
            guard length > 1 else { return 1 }
            // The second byte after some lead bytes is restricted: it excludes overlong forms, surrogates and values above
            // U+10FFFF.
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

extension Tokenizer {
    /// The bytes of every token, in the order of ids.
    static func pieces(_ table: StringTable, _ attributes: [TokenAttributes], isByteLevel: Bool) -> PackedStrings {
        var pieces = PackedStrings()
        pieces.reserveCapacity(table.count, bytes: table.bytes.count)
        var piece: [UInt8] = []
        for id in 0..<table.count {
            let text = table.bytes[table.range(of: id)]
            piece.removeAll(keepingCapacity: true)
            if !attributes[id].isDisjoint(with: .special) {
                piece.append(contentsOf: text)
            } else if attributes[id].contains(.normal) {
                if isByteLevel {
                    ByteAlphabet.decode(text, into: &piece)
                } else {
                    unescapeSpaces(text, into: &piece)
                }
            } else if attributes[id].contains(.byte) {
                if let byte = byteValue(text) { piece.append(byte) }
            }
            pieces.append(piece)
        }
        return pieces
    }

    private static func unescapeSpaces(_ text: ArraySlice<UInt8>, into output: inout [UInt8]) {
        let space = SentencePieceEncoder.space
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == space[0], text[index...].starts(with: space) {
                output.append(0x20)
                index += space.count
            } else {
                output.append(text[index])
                index += 1
            }
        }
    }

    /// The byte that `<0xAB>` names.
    private static func byteValue(_ text: ArraySlice<UInt8>) -> UInt8? {
        guard text.count == 6, text.starts(with: "<0x".utf8), text.last == 0x3E else { return nil }
        let digits = text.dropFirst(3).prefix(2)
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    /// Marks the tokens that absorb the white space beside them. GGUF has no key for this; like llama.cpp, this recognises
    /// families by their names.
    static func markStripping(
        _ attributes: inout [TokenAttributes], modelName: String, preTokenizer: String?, _ table: StringTable
    ) {
        if ["jina-v2-de", "jina-v2-es", "jina-v2-code", "mmbert"].contains(preTokenizer ?? "") {
            if let id = table.find("<mask>".utf8) { attributes[Int(id)].insert(.stripsLeft) }
            return
        }
        let name = modelName.lowercased()
        guard name.contains("phi-3") || name.contains("phi3") else { return }
        for id in attributes.indices where !attributes[id].isDisjoint(with: .special) {
            attributes[id].insert(.stripsRight)
        }
        if let id = table.find("</s>".utf8) { attributes[Int(id)].insert(.stripsRight) }
        for text in ["<unk>", "<s>", "<|endoftext|>"] {
            if let id = table.find(text.utf8) { attributes[Int(id)].remove(.stripsRight) }
        }
    }
}
