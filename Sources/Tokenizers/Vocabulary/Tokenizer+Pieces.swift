// What each token stands for in text.

import InferGGUF

extension Tokenizer {
    /// The bytes of every token.
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

    /// Marks the tokens that take the white space after them along. The format has no place for this; llama.cpp knows
    /// one family by its name.
    static func markStripping(_ attributes: inout [TokenAttributes], modelName: String, _ table: StringTable) {
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
