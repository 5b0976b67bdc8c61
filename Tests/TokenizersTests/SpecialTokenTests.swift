// Special tokens: matching in text, and roles.

import InferGGUF
import InferTokenizers
import Testing

@Suite struct SpecialTokenTests {
    static func tokenizer(_ special: [(String, TokenType)]) throws -> Tokenizer {
        try Tokenizer(Vocabularies.bytePair(merges: [], special: special))
    }

    @Test func controlTokensAreParsedOnRequest() throws {
        let tokenizer = try Self.tokenizer([("<|x|>", .control), ("<tag>", .userDefined)])
        #expect(tokenizer.encode("a<|x|>", parseSpecial: true) == [97, 256])
        #expect(tokenizer.encode("a<|x|>") == [97] + "<|x|>".utf8.map(TokenID.init))
        #expect(tokenizer.encode("<tag>a") == [257, 97])
    }

    @Test func longerTokensWinWhereverTheyBegin() throws {
        let tokenizer = try Self.tokenizer([("<ab>", .control), ("b><cdef>", .control), ("<ab>x", .control)])
        #expect(tokenizer.encode("<ab><cdef>", parseSpecial: true) == [60, 97, 257])
        #expect(tokenizer.encode("<ab>x", parseSpecial: true) == [258])
        #expect(tokenizer.encode("<ab>", parseSpecial: true) == [256])
    }

    @Test func shorterTokensMatchBetweenLongerOnes() throws {
        let tokenizer = try Self.tokenizer([("aa", .userDefined), ("aaaa", .userDefined), ("a", .userDefined)])
        #expect(tokenizer.encode(String(repeating: "a", count: 11)) == [257, 257, 256, 258])
    }

    @Test func aLongRunOfSpecialTokens() throws {
        let runs = (1...32).map { (String(repeating: "-", count: $0), TokenType.userDefined) }
        let tokenizer = try Self.tokenizer(runs)
        #expect(tokenizer.encode(String(repeating: "-", count: 1 << 17 | 5)).count == (1 << 12) + 1)
    }

    @Test func phi3TokensAbsorbTheSpaceAfterThem() throws {
        var description = Vocabularies.bytePair(
            merges: [], special: [("<|end|>", .control), ("<|endoftext|>", .control)])
        description.modelName = "Phi-3 mini"
        let tokenizer = try Tokenizer(description)
        #expect(tokenizer.encode("<|end|> \n a", parseSpecial: true) == [256, 97])
        #expect(tokenizer.encode("<|endoftext|> a", parseSpecial: true) == [257, 32, 97])
    }

    @Test func masksOfEmbeddingModelsAbsorbTheSpaceBeforeThem() throws {
        var description = Vocabularies.bytePair(merges: [], pre: "jina-v2-code", special: [("<mask>", .control)])
        #expect(try Tokenizer(description).encode("a \t<mask> b", parseSpecial: true) == [97, 256, 32, 98])
        description.preTokenizer = "gpt-2"
        #expect(try Tokenizer(description).encode(" <mask>", parseSpecial: true) == [32, 256])
    }

    @Test func rolesAreFoundByKeyThenByText() throws {
        var description = Vocabularies.bytePair(
            merges: [],
            special: [
                ("<|endoftext|>", .control), ("<|im_end|>", .control), ("<|fim_prefix|>", .control),
                ("<|fim_suffix|>", .normal), ("<|fim_middle|>", .control), ("<|fim_pad|>", .control),
                ("<|repo_name|>", .control), ("<|file_sep|>", .control), ("[pre]", .control),
            ])
        description.specialIDs = ["bos": 256, "eos": 256, "padding": 256, "eot": 99_999, "unknown": -1]
        let tokenizer = try Tokenizer(description)
        #expect(tokenizer.eot == 257)
        #expect(tokenizer.padding == 256)
        #expect(tokenizer.unknown == nil)
        #expect(tokenizer.infill.prefix == 258)
        #expect(tokenizer.infill.suffix == 259)
        #expect(tokenizer.infill.middle == 260)
        #expect(tokenizer.infill.repository == 262)
        #expect(tokenizer.endOfGeneration == [256, 257, 261, 262, 263])
        #expect(tokenizer.type(of: 259) == .control)
        description.specialIDs["fim_pre"] = 264
        #expect(try Tokenizer(description).infill.prefix == 264)
    }

    @Test func harmonyEndsAtReturnAndCallOnly() throws {
        let tokenizer = try Self.tokenizer([
            ("<|return|>", .control), ("<|call|>", .control), ("<|end|>", .control), ("<|channel|>", .control),
        ])
        #expect(tokenizer.isEndOfGeneration(256) && tokenizer.isEndOfGeneration(257))
        #expect(!tokenizer.isEndOfGeneration(258))
        #expect(tokenizer.type(of: 259) == .userDefined)
    }
}
