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
        ("spark2_5", "a!\n\n 1234", ["a", "!", "\n", "\n", " ", "1", "2", "3", "4"]),
        ("afmoe", "ab1234中文ကခ;x", ["ab", "1", "234", "中文ကခ", ";x"]),
        ("afmoe", "  1234", [" ", " ", "1", "234"]),
        ("jais-2", "a       b  \n c   ", ["a", "    ", "  ", " b", "  \n", " c", "  ", " "]),
        ("minicpm5", "a  12345", ["a", "  ", "123", "45"]),
        ("laguna", "f()\n\n 12", ["f", "()", "\n\n", " ", "1", "2"]),
        ("exaone-moe", "ab ce\u{301} d  e!!\n\nx", ["ab ce\u{301} d", " ", " e", "!!\n", "\n", "x"]),
        ("exaone-moe", "I's -a b", ["I", "'s", " -", "a b"]),
        ("ufakzeka", "I'll 12", ["I", "'ll", " ", "1", "2"]),
        ("granite-embed-multi-97m", "e\u{301}A\u{301}b", ["e\u{301}", "A\u{301}b"]),
        ("granite-embed-multi-97m", "\u{301}AB \u{301}ab'S", ["\u{301}", "AB", " \u{301}ab'S"]),
        ("tiny_aya", "camelCase1234 x\u{301}'S!/\n", ["camelCase", "1", "234", " x\u{301}'S", "!/\n"]),
        ("youtu", "한국。ㄅㄆ中文ab12", ["한국", "。", "ㄅㄆ", "中文", "ab", "1", "2"]),
        ("kimi-k2", "中文ab's 1234 !\n/", ["中文", "ab's", " ", "123", "4", " !\n", "/"]),
        ("kimi-k2", "x中 e\u{301}", ["x", "中", " e", "\u{301}"]),
        ("superbpe", "a  1234567b 123²", ["a  ", "1", "234", "567", "b ", "123²"]),
        ("bloom", "a (b), c|d", ["a", " (", "b", "),", " c", "|", "d"]),
        ("viking", "ab12", ["ab", "1", "2"]),
        (
            "chameleon", "<sentinel:12>IMGIMGABZ     x\t!?",
            ["<", "sentinel", ":", "1", "2", ">", "IMGIMGABZ", "    ", " x", "\t", "!", "?"]
        ),
        ("chameleon", "IMGIMGABCDEZ <sentinel:>", ["IMGIMGABCDEZ", " ", "<", "sentinel", ":", ">"]),
        ("gemma4", "a b\n\n \r\nc", ["a b", "\n\n", " \r", "\n", "c"]),
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
        for name in [
            "gpt-2", "default", "falcon", "llama-bpe", "qwen35", "gpt-4o", "deepseek-llm", "deepseek-v3", "spark2_5",
            "afmoe",
            "jais-2", "exaone-moe", "granite-embed-multi-97m", "tiny_aya", "youtu", "kimi-k2", "superbpe", "viking",
            "chameleon",
            "gemma4",
        ] {
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

    @Test func namesSetWhetherBOSIsAdded() throws {
        func addsBOS(_ name: String, key: Bool?) throws -> Bool {
            var description = Vocabularies.bytePair(merges: [], pre: name)
            description.addsBOS = key
            return try Tokenizer(description).addsBOS
        }
        #expect(try addsBOS("lfm2", key: nil) && !addsBOS("lfm2", key: false))
        #expect(try !addsBOS("minicpm5", key: nil) && addsBOS("minicpm5", key: true))
        #expect(try !addsBOS("glm4", key: true), "GLM has no default BOS token")
        #expect(try addsBOS("granite-embed-multi-311m", key: false))
    }

    @Test func kimiNeedsNoMerges() throws {
        var description = Vocabularies.bytePair(merges: [], pre: "kimi-k2")
        description.merges = nil
        #expect(try Tokenizer(description).encode("ab") == [97, 98])
    }

    @Test func unknownNameIsRefusedWithTheKnownOnes() {
        expectRefusal(.unsupportedTokenizer, "lamma-bpe", "llama-bpe, llama-v3") {
            try PreTokenizer.named("lamma-bpe")
        }
    }
}
