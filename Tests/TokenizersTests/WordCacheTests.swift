// Encoding with a cache of words gives the same tokens as encoding each text on its own.

import InferTokenizers
import TestSupport
import Testing

@Suite struct WordCacheTests {
    /// A word of 1 to 18 bytes from a small alphabet that includes zero bytes, so that many words are equal. Some words are not
    /// ASCII, and some are invalid UTF-8.
    private func word(_ generator: inout SeededGenerator) -> [UInt8] {
        let letters: [[UInt8]] = [
            [0x61], [0x62], [0x63], [0x61], [0], Array("é".utf8), Array("—".utf8), Array("😀".utf8), [0xFF], [0xC3],
        ]
        let isPlain = Int.random(in: 0..<4, using: &generator) > 0
        var word: [UInt8] = Bool.random(using: &generator) ? [0x20] : [0x2E]
        for _ in 0..<Int.random(in: 0...17, using: &generator) {
            word += letters[Int.random(in: 0..<(isPlain ? 4 : letters.count), using: &generator)]
        }
        return word
    }

    @Test(arguments: ["gpt-2", "llama-bpe", "deepseek-coder", "default"])
    func theCacheChangesNoToken(preTokenizer: String) throws {
        let tokenizer = try Tokenizer(Vocabularies.bytePair(merges: BytePairTests.merges, pre: preTokenizer))
        var generator = SeededGenerator(77)
        var encoder = TextEncoder(tokenizer)
        for _ in 0..<400 {
            var text: [UInt8] = []
            // Each text is so short that a separate call does not use a cache.
            while text.count < 1500 { text += word(&generator) }
            let expected = tokenizer.encode(text, addSpecial: false)
            #expect(encoder.encode(text, addSpecial: false) == expected)
        }
    }

    /// More words than slots. Each group of words occurs twice in a row, and again after many others.
    @Test func wordsReplaceOneAnother() throws {
        let tokenizer = try Tokenizer(Vocabularies.bytePair(merges: BytePairTests.merges))
        var encoder = TextEncoder(tokenizer)
        for _ in 0..<2 {
            for number in stride(from: 0, to: 40_000, by: 5) {
                let words = (number..<number + 5).map {
                    " " + String($0, radix: 3).map { ["0": "a", "1": "b"][$0] ?? "c" }.joined()
                }
                let text = Array((words + words).joined().utf8)
                #expect(encoder.encode(text, addSpecial: false) == tokenizer.encode(text, addSpecial: false))
            }
        }
    }

    @Test func sentencePieceNeedsNoCache() throws {
        let tokenizer = try Tokenizer(Vocabularies.sentencePiece([("▁", -1), ("a", -2), ("▁a", -1.5), ("aa", -3)]))
        var encoder = TextEncoder(tokenizer)
        for text in ["a aa", "", "aaa b", "é a"] {
            #expect(encoder.encode(Array(text.utf8), addSpecial: true) == tokenizer.encode(text))
        }
    }
}
