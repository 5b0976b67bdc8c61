// Small vocabularies made in code.

import InferGGUF
import InferTokenizers

enum Vocabularies {
    /// GPT-2's character of each byte.
    static let characters: [Character] = {
        var next: UInt32 = 0x100
        return (0...255).map { byte in
            let printable = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
            defer { if !printable { next += 1 } }
            return Character(Unicode.Scalar(printable ? UInt32(byte) : next) ?? " ")
        }
    }()

    /// The spelling of `text` in byte-level vocabularies.
    static func spelled(_ text: String) -> String { String(text.utf8.map { characters[Int($0)] }) }

    static func packed(_ strings: [String]) -> PackedStrings {
        var packed = PackedStrings()
        for string in strings { packed.append(string.utf8) }
        return packed
    }

    /// A byte-level vocabulary: the 256 bytes (ids 0…255), one token for each merge, and `special`.
    static func bytePair(
        merges: [(String, String)], pre: String? = "gpt-2", special: [(String, TokenType)] = []
    ) -> VocabularyDescription {
        let bytes = characters.map { String($0) }
        let joined = merges.map { spelled($0.0) + spelled($0.1) }
        var description = VocabularyDescription(model: "gpt2", tokens: packed(bytes + joined + special.map(\.0)))
        description.types = Array(repeating: 1, count: 256 + merges.count) + special.map(\.1.rawValue)
        description.merges = packed(merges.map { "\(spelled($0.0)) \(spelled($0.1))" })
        description.preTokenizer = pre
        return description
    }

    /// The spellings of the byte tokens, `<0x00>` to `<0xFF>`.
    private static let byteNames = (0...255).map { byte in
        let digits = String(byte, radix: 16, uppercase: true)
        return "<0x" + (digits.count < 2 ? "0" : "") + digits + ">"
    }

    /// A vocabulary like Gemma 4's: padding, EOS, BOS, the 256 byte tokens (ids 3…258), and `pieces`.
    static func gemma4(_ pieces: [String], merges: [(String, String)]) -> VocabularyDescription {
        let tokens = ["<pad>", "<eos>", "<bos>"] + byteNames + pieces
        var description = VocabularyDescription(model: "gemma4", tokens: packed(tokens))
        description.types = [3, 3, 3] + Array(repeating: 6, count: 256) + Array(repeating: 1, count: pieces.count)
        description.merges = packed(merges.map { "\($0.0) \($0.1)" })
        description.specialIDs = ["padding": 0, "eos": 1, "bos": 2]
        return description
    }

    /// A SentencePiece vocabulary: unknown, BOS, EOS, the 256 byte tokens (ids 3…258), and `pieces` with their scores.
    static func sentencePiece(_ pieces: [(String, Float)]) -> VocabularyDescription {
        let tokens = ["<unk>", "<s>", "</s>"] + byteNames + pieces.map(\.0)
        var description = VocabularyDescription(model: "llama", tokens: packed(tokens))
        description.types = [2, 3, 3] + Array(repeating: 6, count: 256) + Array(repeating: 1, count: pieces.count)
        description.scores = Array(repeating: 0, count: 259) + pieces.map(\.1)
        return description
    }
}
