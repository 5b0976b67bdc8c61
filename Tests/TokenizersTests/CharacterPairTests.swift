// Byte-pair encoding on characters, as in Gemma 4.

import InferTokenizers
import TestSupport
import Testing

@Suite struct CharacterPairTests {
    private static let characters = ["▁", "a", "b", "é", "中", "文", "\n"]
    private static let merges = [
        ("a", "b"), ("▁", "ab"), ("▁", "▁"), ("b", "\n"), ("中", "文"), ("b", "▁"), ("é", "a"), ("▁▁", "▁▁"),
        ("ab", "ab"),
        ("文", "中"), ("中文", "中文"), ("a", "a"), ("▁", "a"), ("\n", "\n"),
    ]
    private static let pieces = characters + merges.map { $0.0 + $0.1 }

    /// The texts of the tokens of `text`.
    private func pieces(_ text: String, _ tokenizer: Tokenizer) -> [String] {
        tokenizer.encode(text, addSpecial: false).map { tokenizer.text(of: $0) ?? "?" }
    }

    @Test func spacesAreVisibleAndJoinWords() throws {
        let tokenizer = try Tokenizer(Vocabularies.gemma4(Self.pieces, merges: Self.merges))
        #expect(pieces("ab ab", tokenizer) == ["ab", "▁ab"])
        #expect(pieces("ab\u{2581}ab", tokenizer) == ["ab", "▁ab"])
        #expect(pieces("b     aba", tokenizer) == ["b", "▁▁▁▁", "▁ab", "a"])
        #expect(tokenizer.decode(tokenizer.encode(" ab  中文")) == "<bos> ab  中文")
        #expect(tokenizer.warnings.isEmpty)
    }

    @Test func linesAreWords() throws {
        var description = Vocabularies.gemma4(Self.pieces + ["\n\n\n"], merges: Self.merges)
        #expect(try pieces("b\nb", Tokenizer(description)) == ["b", "\n", "b"])
        // A run of line feeds that is a token needs no merges. Others are merged.
        #expect(try pieces("\n\n\n", Tokenizer(description)) == ["\n\n\n"])
        #expect(try pieces("\n\n\n\n\n", Tokenizer(description)) == ["\n\n", "\n\n", "\n"])
        description.model = "gpt2"
        description.preTokenizer = "sarvam-moe"
        #expect(try pieces("\n\n\n", Tokenizer(description)) == ["\n\n", "\n"])
        description.preTokenizer = "mmbert"
        #expect(try pieces("ab  b\n\n\nab", Tokenizer(description)) == ["▁ab", "▁", "▁", "b", "\n\n\n", "▁ab"])
    }

    @Test func charactersOutsideTheVocabularyBecomeBytes() throws {
        var description = Vocabularies.gemma4(Self.pieces, merges: Self.merges + [("é", "b")])
        let tokenizer = try Tokenizer(description)
        #expect(pieces("a😀", tokenizer) == ["a", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>"])
        #expect(pieces("x", tokenizer) == ["<0x78>"])
        #expect(pieces("éb", tokenizer) == ["<0xC3>", "<0xA9>", "<0x62>"], "a merge whose result is no token")
        #expect(tokenizer.decode(tokenizer.encode("a😀éb", addSpecial: false)) == "a😀éb")
        #expect(tokenizer.encode([0xFF], addSpecial: false) == [0xEF, 0xBF, 0xBD].map { 3 + $0 })
        description.tokens = Vocabularies.packed(["<pad>", "<eos>", "<bos>", "a"])
        description.types = [3, 3, 3, 1]
        #expect(try Tokenizer(description).encode("a b", addSpecial: false) == [3], "no byte tokens")
    }

    @Test func specialTokens() throws {
        var description = Vocabularies.gemma4(Self.pieces + ["<tag>", "<|turn>"], merges: Self.merges)
        let tag = TokenID(259 + Self.pieces.count)
        description.types.replaceSubrange(Int(tag)..., with: [4, 3])
        description.addsBOS = false
        #expect(try Tokenizer(description).encode("a<tag>a") == [2, 260, tag, 260])
        #expect(try Tokenizer(description).encode("<|turn>", parseSpecial: true) == [2, tag + 1])
        #expect(try Tokenizer(description).encode("<|turn>").count == 8)
        description.specialIDs = [:]
        let tokenizer = try Tokenizer(description)
        #expect(tokenizer.encode("a") == [260])
        #expect(tokenizer.bos == nil && tokenizer.unknown == nil)
    }

    /// Merges the leftmost pair with the lowest rank until no pair merges.
    private func plainlyMerged(_ line: String) -> [String] {
        var symbols = line.map { $0 == " " ? "▁" : String($0) }
        while true {
            var best: (rank: Int, place: Int)?
            for place in symbols.indices.dropLast() {
                let rank = Self.merges.firstIndex { $0.0 == symbols[place] && $0.1 == symbols[place + 1] }
                if let rank, rank < best?.rank ?? .max { best = (rank, place) }
            }
            guard let best else { return symbols }
            symbols[best.place] += symbols.remove(at: best.place + 1)
        }
    }

    @Test(arguments: [1, 2, 5, 20, 60, 200]) func agreesWithPlainMerging(length: Int) throws {
        let tokenizer = try Tokenizer(Vocabularies.gemma4(Self.pieces, merges: Self.merges))
        var generator = SeededGenerator(UInt64(length))
        for _ in 0..<60 {
            let text = (0..<length).map { _ in ["a", "b", " ", "é", "中", "文"].randomElement(using: &generator) ?? "a" }
            #expect(pieces(text.joined(), tokenizer) == plainlyMerged(text.joined()))
        }
    }

    @Test(arguments: ["a", " ", "ab 中文", "😀", "\n", "中"]) func longLines(unit: String) throws {
        let tokenizer = try Tokenizer(Vocabularies.gemma4(Self.pieces, merges: Self.merges))
        let text = String(repeating: unit, count: (1 << 16) / unit.utf8.count)
        let tokens = tokenizer.encode(text, addSpecial: false)
        #expect(tokenizer.bytes(of: tokens) == Array(text.utf8))
        #expect(
            tokens.prefix(32) == tokenizer.encode(String(repeating: unit, count: 1 << 9), addSpecial: false).prefix(32))
    }
}
