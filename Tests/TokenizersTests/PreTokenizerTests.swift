// The words that each pre-tokenizer produces.

import InferSupport
import InferTokenizers
import TestSupport
import Testing

@Suite struct PreTokenizerTests {
    @Test(arguments: [
        ("gpt-2", "I'll go  to 1234!?\n\n x", ["I", "'ll", " go", " ", " to", " 1234", "!?", "\n\n", " x"]),
        ("gpt-2", "I'LL  ", ["I", "'", "LL", "  "]),
        ("starcoder", "a 123b", ["a", " ", "1", "2", "3", "b"]),
        ("falcon", "a+=12345 `x`", ["a", "+=", "123", "45", " ", "`", "x", "`"]),
        ("default", "a+=12345`", ["a", "+=", "123", "45", "`"]),
        ("llama-bpe", "I'LL (go) 12345!\n\n  x", ["I", "'LL", " (", "go", ")", " ", "123", "45", "!\n\n", " ", " x"]),
        ("qwen2", "x 12\r\n\ty", ["x", " ", "1", "2", "\r\n", "\ty"]),
        ("qwen2", "e\u{301}a", ["e", "\u{301}a"]),
        ("qwen35", "e\u{301}a", ["e\u{301}a"]),
        ("seed-coder", "f();\n\nx", ["f", "();", "\n\n", "x"]),
        ("tekken", "HTTPServer isn't//\nx1", ["HTTPServer", " isn", "'t", "//\n", "x", "1"]),
        ("gpt-4o", "isn't camelCase 1234", ["isn't", " camel", "Case", " ", "123", "4"]),
        ("gpt-4o", "ÀBÀB", ["ÀBÀ", "B"]),
        ("deepseek-coder", "a  12\nx += 中文", ["a", "  ", "1", "2", "\n", "x", " +=", " ", "中文"]),
        ("deepseek-llm", "don't 123  \n中文!", ["don", "'", "t", " ", "123", "  ", "\n", "中文", "!"]),
        ("deepseek-v3", "x;foo 1234 中文\n", ["x", ";foo", " ", "123", "4", " ", "中文", "\n"]),
    ]) func splits(name: String, text: String, words: [String]) throws {
        #expect(try PreTokenizer.named(name).words(in: text) == words)
    }

    @Test func everyWordOfTheTextIsKept() throws {
        var generator = SeededGenerator(1)
        let alphabet: [Unicode.Scalar] = [
            "a", "B", "é", "À", "\u{301}", "1", "²", "中", " ", " ", "\t", "\n", "\r", "'", "s", "l", "/", "_", "+", "。",
            "\u{3000}",
            "😀", "\0",
        ]
        for name in ["gpt-2", "default", "falcon", "llama-bpe", "qwen35", "gpt-4o", "deepseek-llm", "deepseek-v3"] {
            let preTokenizer = try PreTokenizer.named(name)
            for _ in 0..<200 {
                var text = String.UnicodeScalarView()
                for _ in 0..<Int.random(in: 0...20, using: &generator) {
                    text.append(alphabet.randomElement(using: &generator) ?? "x")
                }
                let words = preTokenizer.words(in: String(text))
                #expect(Array(words.joined().utf8) == Array(String(text).utf8))
                #expect(words.allSatisfy { !$0.isEmpty })
            }
        }
    }

    @Test func absentNameMeansDefault() throws {
        #expect(
            try PreTokenizer.named(nil).words(in: "a$$12345") == PreTokenizer.named("default").words(in: "a$$12345"))
    }

    @Test func unknownNameIsRefusedWithTheKnownOnes() {
        expectRefusal(.unsupportedTokenizer, "lamma-bpe", "llama-bpe, llama-v3") {
            try PreTokenizer.named("lamma-bpe")
        }
    }
}
