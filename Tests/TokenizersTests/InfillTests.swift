// Fill-in-the-middle prompts.

import InferSupport
import InferTokenizers
import Testing

@Suite struct InfillTests {
    static let marks: [(String, TokenType)] = [
        ("<|fim_prefix|>", .control), ("<|fim_suffix|>", .control), ("<|fim_middle|>", .control),
    ]
    static let repositoryMarks: [(String, TokenType)] = [("<|repo_name|>", .control), ("<|file_sep|>", .control)]

    static func ids(_ text: String) -> [TokenID] { text.utf8.map(TokenID.init) }

    @Test func prefixSuffixMiddle() throws {
        let tokenizer = try Tokenizer(Vocabularies.bytePair(merges: [], special: Self.marks))
        let prompt = InfillPrompt(prefix: "ab", suffix: "<|fim_middle|>")
        #expect(try prompt.tokens(for: tokenizer) == [256, 97, 98, 257] + Self.ids("<|fim_middle|>") + [258])
    }

    @Test func repositoryContext() throws {
        let tokenizer = try Tokenizer(Vocabularies.bytePair(merges: [], special: Self.marks + Self.repositoryMarks))
        let prompt = InfillPrompt(
            prefix: "a", suffix: "b", fileName: "f", repositoryName: "r", context: [SourceFile(name: "g", text: "x")])
        #expect(
            try prompt.tokens(for: tokenizer)
                == [259] + Self.ids("r\n") + [260] + Self.ids("g\nx") + [260] + Self.ids("f\n") + [
                    256, 97, 257, 98, 258,
                ])
        #expect(try prompt.tokens(for: tokenizer, limit: 8) == [260] + Self.ids("f\n") + [256, 97, 257, 98, 258])
    }

    @Test func contextWithoutMarks() throws {
        let tokenizer = try Tokenizer(Vocabularies.bytePair(merges: [], special: Self.marks))
        let prompt = InfillPrompt(prefix: "", suffix: "", context: [SourceFile(name: "g", text: "x")])
        #expect(try prompt.tokens(for: tokenizer).starts(with: Self.ids("\n\n--- snippet ---\n\nx")))
    }

    @Test func longTextsAreCutAtTheFarEnds() throws {
        let tokenizer = try Tokenizer(Vocabularies.bytePair(merges: [], special: Self.marks))
        let long = InfillPrompt(
            prefix: String(repeating: "p", count: 99) + "P", suffix: "S" + String(repeating: "s", count: 99))
        let tokens = try long.tokens(for: tokenizer, limit: 23)
        #expect(tokens == [256] + Self.ids(String(repeating: "p", count: 14) + "P") + [257] + Self.ids("Sssss") + [258])
        let short = InfillPrompt(prefix: "pq", suffix: String(repeating: "s", count: 99))
        #expect(
            try short.tokens(for: tokenizer, limit: 10) == [256] + Self.ids("pq") + [257] + Self.ids("sssss") + [258])
        #expect(throws: InferenceError.self) { try long.tokens(for: tokenizer, limit: 3) }
        #expect(throws: InferenceError.self) { try long.tokens(for: tokenizer, limit: .min + 10) }
    }

    @Test func modelsWithoutMarksAreRefused() throws {
        let tokenizer = try Tokenizer(Vocabularies.bytePair(merges: []))
        #expect(throws: InferenceError.self) { try InfillPrompt(prefix: "a", suffix: "b").tokens(for: tokenizer) }
    }
}
