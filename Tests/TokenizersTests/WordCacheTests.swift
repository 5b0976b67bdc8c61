// Encoding with the words of earlier texts in memory, against encoding each text alone.

import InferTokenizers
import TestSupport
import Testing

@Suite struct WordCacheTests {
    /// Words of 1 to 18 bytes over few letters, zero bytes among them, so that many are alike; some are not ASCII, some not
    /// even text.
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
    func whatIsRememberedChangesNothing(preTokenizer: String) throws {
        let tokenizer = try Tokenizer(Vocabularies.bytePair(merges: BytePairTests.merges, pre: preTokenizer))
        var generator = SeededGenerator(77)
        var encoder = TextEncoder(tokenizer)
        for _ in 0..<400 {
            var text: [UInt8] = []
            // Short of what a call of its own would remember words for.
            while text.count < 1500 { text += word(&generator) }
            let expected = tokenizer.encode(text, addSpecial: false)
            #expect(encoder.encode(text, addSpecial: false) == expected)
        }
    }

    /// More words than there is room for, each twice: at once and after many others.
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

    @Test func sentencePieceNeedsNoMemory() throws {
        let tokenizer = try Tokenizer(Vocabularies.sentencePiece([("▁", -1), ("a", -2), ("▁a", -1.5), ("aa", -3)]))
        var encoder = TextEncoder(tokenizer)
        for text in ["a aa", "", "aaa b", "é a"] {
            #expect(encoder.encode(Array(text.utf8), addSpecial: true) == tokenizer.encode(text))
        }
    }
}
