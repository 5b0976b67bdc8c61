// Tokens to text: as a whole and in a stream.

import InferGGUF
import InferTokenizers
import TestSupport
import Testing

@Suite struct DetokenizerTests {
    @Test func streamedTextIsTheWholeText() throws {
        let tokenizer = try Tokenizer(Vocabularies.bytePair(merges: [("a", "b")], special: [("<|x|>", .control)]))
        var generator = SeededGenerator(4)
        // Bytes that begin, continue and interrupt characters.
        let bytes: [TokenID] = [
            97, 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0x80, 0xED, 0xA0, 0xE0, 0xF4, 0x90, 0xFF, 0xC0, 256,
            257, 0x0A,
        ]
        for _ in 0..<3000 {
            let tokens = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                bytes.randomElement(using: &generator) ?? 97
            }
            var detokenizer = StreamingDetokenizer(tokenizer)
            var text = tokens.map { detokenizer.append($0) }.joined()
            text += detokenizer.finish()
            let whole = tokenizer.decode(tokens, includingControl: false)
            #expect(Array(text.utf8) == Array(whole.utf8), "\(tokens)")
        }
    }

    @Test func incompleteCharactersAreHeldBack() throws {
        let tokenizer = try Tokenizer(Vocabularies.bytePair(merges: []))
        var detokenizer = StreamingDetokenizer(tokenizer)
        #expect("😀!".utf8.map { detokenizer.append(TokenID($0)) } == ["", "", "", "😀", "!"])
        #expect(detokenizer.append(0xE2) == "")
        #expect(detokenizer.finish() == "\u{FFFD}")
        #expect(detokenizer.finish() == "")
    }

    @Test func textSurvivesEncoding() throws {
        let tokenizer = try Tokenizer(Vocabularies.bytePair(merges: [("l", "l"), (" ", "w")], pre: "qwen2"))
        for text in ["", "hello  world\n\n", "日本語 e\u{301} 😀\t\0 12345", "<|x|>"] {
            #expect(Array(tokenizer.decode(tokenizer.encode(text)).utf8) == Array(text.utf8))
        }
    }

    @Test func controlTokensAndStrangeIDs() throws {
        let tokenizer = try Tokenizer(
            Vocabularies.bytePair(merges: [], special: [("<|x|>", .control), ("é+", .normal)]))
        #expect(tokenizer.decode([97, 256, 98]) == "a<|x|>b")
        #expect(tokenizer.decode([97, 256, 98], includingControl: false) == "ab")
        #expect(tokenizer.decode([-1, 97, .max, .min, 258]) == "a")
        #expect(tokenizer.text(of: 258) == nil)
        #expect(tokenizer.type(of: -1) == nil)
        #expect(tokenizer.text(of: 257) == "é+")
        #expect(Array(tokenizer.bytes(of: 257)) == [0xE9, 0x2B])
    }
}
