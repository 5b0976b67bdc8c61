// SentencePiece encoding.

import InferTokenizers
import TestSupport
import Testing

@Suite struct SentencePieceTests {
    static let pieces: [(String, Float)] = [
        ("▁", -1), ("a", -2), ("b", -3), ("ab", -5), ("▁a", -4), ("▁ab", -6), ("aa", -7), ("aaaa", -8), ("▁▁", -9),
        ("é", -10),
        ("ba", -5),
    ]
    static let first: TokenID = 259

    static func id(_ piece: String) -> TokenID { pieces.firstIndex { $0.0 == piece }.map { first + TokenID($0) } ?? -1 }

    @Test func agreesWithPlainMerging() throws {
        let tokenizer = try Tokenizer(Vocabularies.sentencePiece(Self.pieces))
        var generator = SeededGenerator(3)
        for length in [1, 2, 5, 20, 47, 48, 49, 150] {
            for _ in 0..<40 {
                let text = String((0..<length).map { _ in ["a", "b", " "].randomElement(using: &generator) ?? "a" })
                var symbols = ("▁" + text.map { $0 == " " ? "▁" : $0 }).map { String($0) }
                while true {
                    var best: (score: Float, place: Int)?
                    for place in symbols.indices.dropLast() {
                        let joined = symbols[place] + symbols[place + 1]
                        guard let piece = Self.pieces.first(where: { $0.0 == joined }) else { continue }
                        if piece.1 > best?.score ?? -.infinity { best = (piece.1, place) }
                    }
                    guard let best else { break }
                    symbols[best.place] += symbols.remove(at: best.place + 1)
                }
                #expect(tokenizer.encode(text, addSpecial: false) == symbols.map(Self.id), "\(text)")
            }
        }
    }

    static func byte(_ value: UInt8) -> TokenID { 3 + TokenID(value) }

    @Test func unknownCharactersBecomeBytes() throws {
        let tokenizer = try Tokenizer(Vocabularies.sentencePiece(Self.pieces))
        let sharp: [TokenID] = [1, Self.id("▁a"), Self.byte(0xC3), Self.byte(0x9F)]
        #expect(tokenizer.encode("aß") == sharp)
        // A lead byte takes the following bytes into its character, even a space.
        let broken: [TokenID] = [Self.id("▁a")] + [0xFF, 0xE2, 0x96, 0x81].map(Self.byte)
        #expect(tokenizer.encode([0x61, 0xFF, 0x20], addSpecial: false) == broken)
    }

    @Test func theSpaceBeforeATextIsAddedAndRemoved() throws {
        var description = Vocabularies.sentencePiece(Self.pieces)
        let tokenizer = try Tokenizer(description)
        #expect(tokenizer.encode("a", addSpecial: false) == [Self.id("▁a")])
        #expect(tokenizer.decode([Self.id("▁a"), Self.id("▁a")]) == "a a")
        description.addsSpacePrefix = false
        #expect(try Tokenizer(description).encode("a", addSpecial: false) == [Self.id("a")])
        #expect(try Tokenizer(description).decode([Self.id("▁a")]) == " a")
    }

    @Test func withoutByteTokensTheUnknownTokenIsUsed() throws {
        var description = VocabularyDescription(
            model: "llama", tokens: Vocabularies.packed(["<unk>", "<s>", "</s>", "a"]))
        description.types = [2, 3, 3, 1]
        description.addsSpacePrefix = false
        #expect(try Tokenizer(description).encode("aß") == [1, 3, 0, 0])
    }

    @Test(arguments: ["a", " ", "b", "é", "ab "]) func longRuns(unit: String) throws {
        let tokenizer = try Tokenizer(Vocabularies.sentencePiece(Self.pieces))
        let text = String(repeating: unit, count: (1 << 17) / unit.utf8.count)
        #expect(tokenizer.bytes(of: tokenizer.encode(text, addSpecial: false)) == Array(text.utf8))
    }
}
