// Byte-pair encoding: comparison with a plain implementation, and texts that are too long for a quadratic one.

import InferTokenizers
import TestSupport
import Testing

@Suite struct BytePairTests {
    static let merges = [
        ("a", "b"), ("b", "c"), ("ab", "c"), (" ", "a"), ("c", "ab"), (" a", "bc"), ("aa", "aa"), ("a", "a"),
        ("é", "b"),
        ("abc", "abc"), ("b", "b"), (" ", " "), ("  ", "  "), ("\n", "\n"), ("ca", "a"), ("c", "a"),
    ]

    /// Merges the leftmost pair with the lowest rank until no pair merges.
    static func plainlyMerged(_ text: String) -> [TokenID] {
        var symbols = text.utf8.map { [$0] }
        let ranks = merges.map { (Array($0.0.utf8), Array($0.1.utf8)) }
        while true {
            var best: (rank: Int, place: Int)?
            for place in symbols.indices.dropLast() {
                let rank = ranks.firstIndex { $0.0 == symbols[place] && $0.1 == symbols[place + 1] }
                if let rank, rank < best?.rank ?? .max { best = (rank, place) }
            }
            guard let best else { break }
            symbols[best.place] += symbols.remove(at: best.place + 1)
        }
        return symbols.flatMap { symbol -> [TokenID] in
            if symbol.count == 1 { return [TokenID(symbol[0])] }
            let rank = ranks.firstIndex { $0.0 + $0.1 == symbol }
            return rank.map { [TokenID(256 + $0)] } ?? []
        }
    }

    @Test func agreesWithPlainMerging() throws {
        let tokenizer = try Tokenizer(Vocabularies.bytePair(merges: Self.merges, pre: "dbrx"))
        var generator = SeededGenerator(2)
        for length in [1, 2, 3, 5, 8, 13, 40, 48, 49, 60, 200] {
            for _ in 0..<60 {
                let text = String((0..<length).map { _ in ["a", "b", "c"].randomElement(using: &generator) ?? "a" })
                #expect(tokenizer.encode(text) == Self.plainlyMerged(text), "\(text)")
            }
        }
    }

    @Test(arguments: ["a", " ", "\n", "abc", "é", "😀", "7"]) func longRuns(unit: String) throws {
        let tokenizer = try Tokenizer(Vocabularies.bytePair(merges: Self.merges, pre: "qwen2"))
        let text = String(repeating: unit, count: (1 << 17) / unit.utf8.count)
        let tokens = tokenizer.encode(text)
        #expect(tokenizer.bytes(of: tokens) == Array(text.utf8))
        let short = String(repeating: unit, count: 1 << 10)
        let shortTokens = tokenizer.encode(short)
        #expect(tokens.prefix(32) == shortTokens.prefix(32))
    }

    @Test func wordsThatAreTokensNeedNoMerges() throws {
        var description = Vocabularies.bytePair(merges: [("x", "y")], pre: "llama-bpe", special: [("zq", .normal)])
        #expect(try Tokenizer(description).encode("zq", addSpecial: false) == [257])
        description.preTokenizer = "qwen2"
        #expect(try Tokenizer(description).encode("zq") == [TokenID(UInt8(ascii: "z")), TokenID(UInt8(ascii: "q"))])
    }

    @Test func mergeResultsThatAreNotTokens() throws {
        var description = Vocabularies.bytePair(merges: [("a", "b"), ("ab", "c")])
        // "ab" is not a token. It still leads to "abc"; on its own it becomes the tokens of its bytes.
        description.tokens = Vocabularies.packed(
            Vocabularies.characters.map { String($0) } + ["[gone]", "abc"])
        let tokenizer = try Tokenizer(description)
        #expect(tokenizer.encode("abc") == [257])
        #expect(tokenizer.encode("ab") == [97, 98])
    }

    @Test(
        arguments: [
            ([0xFF], [0xEF, 0xBF, 0xBD]), ([0x61, 0xC3], [0x61, 0xEF, 0xBF, 0xBD]),
            ([0xF4, 0x90, 0x80, 0x80], Array(repeating: [0xEF, 0xBF, 0xBD], count: 4).flatMap { $0 }),
            ([0xED, 0xA0, 0x80], [0xED, 0xA0, 0x80]), ([0xC0, 0x80], [0x00]),
        ] as [([UInt8], [UInt8])]) func invalidUTF8(input: [UInt8], output: [UInt8]) throws
    {
        let tokenizer = try Tokenizer(Vocabularies.bytePair(merges: []))
        #expect(tokenizer.bytes(of: tokenizer.encode(input)) == output)
    }

    @Test func specialTokensAroundText() throws {
        var description = Vocabularies.bytePair(merges: [], special: [("<s>", .control), ("</s>", .control)])
        description.specialIDs = ["bos": 256, "eos": 257]
        #expect(try Tokenizer(description).encode("a") == [97])
        description.addsBOS = true
        description.addsEOS = true
        #expect(try Tokenizer(description).encode("a") == [256, 97, 257])
        #expect(try Tokenizer(description).encode("a", addSpecial: false) == [97])
        #expect(try Tokenizer(description).encode("") == [256, 257])
    }
}
