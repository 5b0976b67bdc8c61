// The characters that represent bytes in byte-level vocabularies.

/// GPT-2's alphabet: a printable character for each byte (OpenAI, gpt-2 `encoder.py`, `bytes_to_unicode`).
package enum ByteAlphabet {
    /// The character of each byte. Printable characters of Latin-1 represent themselves; characters from U+0100 on represent
    /// the other bytes.
    private static let characters: [UInt16] = {
        var unprintable: UInt16 = 0x100
        return (UInt8.min ... .max).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return UInt16(byte)
            default:
                defer { unprintable += 1 }
                return unprintable
            }
        }
    }()

    /// The byte of each character, up to the last one of the alphabet; nil for characters outside the alphabet.
    private static let bytes: [UInt8?] = {
        var bytes = [UInt8?](repeating: nil, count: Int(characters.max() ?? 0) + 1)
        for (byte, character) in characters.enumerated() { bytes[Int(character)] = UInt8(byte) }
        return bytes
    }()

    /// The UTF-8 of the character of each byte.
    package static let encoded: [[UInt8]] = characters.map { character in
        var text: [UInt8] = []
        UTF8Pattern.encode(UInt32(character)) { text.append($0) }
        return text
    }

    /// The spelling of a byte token in vocabularies of characters, such as `<0xAB>`.
    static func hexadecimal(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return Array("<0x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]] + Array(">".utf8)
    }

    /// Appends the bytes that `text` represents. Characters outside the alphabet represent themselves.
    static func decode(_ text: ArraySlice<UInt8>, into output: inout [UInt8]) {
        var index = text.startIndex
        while index < text.endIndex {
            let lead = text[index]
            var value = Int(lead)
            var length = 1
            if lead >= 0xC0, lead < 0xE0, index + 1 < text.endIndex {
                value = Int(lead & 0x1F) << 6 | Int(text[index + 1] & 0x3F)
                length = 2
            }
            if lead < 0x80 || length == 2, value < bytes.count, let byte = bytes[value] {
                output.append(byte)
            } else {
                output.append(contentsOf: text[index..<index + length])
            }
            index += length
        }
    }

    /// The byte that the first character of `text` represents; nil outside the alphabet.
    static func firstByte(of text: ArraySlice<UInt8>) -> UInt8? {
        guard let lead = text.first else { return nil }
        guard lead >= 0x80 else { return bytes[Int(lead)] }
        guard lead & 0xE0 == 0xC0, text.count > 1 else { return nil }
        return byte(lead, text[text.startIndex + 1])
    }

    /// The byte that the last character of `text` represents; nil outside the alphabet.
    static func lastByte(of text: ArraySlice<UInt8>) -> UInt8? {
        guard let last = text.last else { return nil }
        guard last >= 0x80 else { return bytes[Int(last)] }
        guard text.count > 1, text[text.endIndex - 2] & 0xE0 == 0xC0 else { return nil }
        return byte(text[text.endIndex - 2], last)
    }

    private static func byte(_ lead: UInt8, _ continuation: UInt8) -> UInt8? {
        let value = Int(lead & 0x1F) << 6 | Int(continuation & 0x3F)
        return value < bytes.count ? bytes[value] : nil
    }
}
