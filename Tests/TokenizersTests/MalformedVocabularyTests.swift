// Malformed vocabularies.

import InferGGUF
import InferSupport
import InferTokenizers
import TestSupport
import Testing

@Suite struct MalformedVocabularyTests {
    @Test func unknownAlgorithmsAreNamed() {
        expectRefusal(.unsupportedTokenizer, "bert") {
            try Tokenizer(VocabularyDescription(model: "bert", tokens: Vocabularies.packed(["a"])))
        }
    }

    @Test func shortListsAreRefusedByKey() {
        func expectMalformed(_ description: VocabularyDescription, _ key: String) {
            expectRefusal(.malformedModel, key) { try Tokenizer(description) }
        }
        var description = Vocabularies.sentencePiece([("a", 0)])
        description.scores.removeLast()
        expectMalformed(description, "tokenizer.ggml.scores")
        description = Vocabularies.sentencePiece([("a", 0)])
        description.types.removeLast()
        expectMalformed(description, "tokenizer.ggml.token_type")
        description = Vocabularies.bytePair(merges: [])
        description.merges = nil
        expectMalformed(description, "tokenizer.ggml.merges")
        expectMalformed(VocabularyDescription(model: "llama", tokens: PackedStrings()), "tokenizer.ggml.tokens")
    }

    @Test func oddEntriesAreAccepted() throws {
        var description = Vocabularies.sentencePiece([("a", .nan), ("a", 1), ("", .infinity), ("▁", -1), ("<0x-1>", 0)])
        description.types[259 + 4] = 6
        description.types[259 + 3] = -5
        let tokenizer = try Tokenizer(description)
        #expect(tokenizer.encode("a", addSpecial: false) == [262, 260])
        #expect(tokenizer.bytes(of: 263).isEmpty)
        #expect(tokenizer.text(of: 261) == "[EMPTY_261]")
    }

    @Test func brokenMergesAreIgnored() throws {
        var description = Vocabularies.bytePair(merges: [("a", "b")])
        description.merges = Vocabularies.packed(["", " ", "ab", "a ", " b", "a b", "a b", "  a", "a b c"])
        let tokenizer = try Tokenizer(description)
        #expect(tokenizer.encode("abc") == [256, 99])
    }

    @Test func metadataWithoutTokenizerIsRefused() {
        #expect(throws: InferenceError.self) { try Tokenizer(metadata: Metadata()) }
        var metadata = Metadata()
        metadata["tokenizer.ggml.model"] = .string("gpt2")
        expectRefusal(.malformedModel, "tokenizer.ggml.tokens") { try Tokenizer(metadata: metadata) }
    }

    @Test func fingerprintsDistinguishVocabularies() throws {
        let base = Vocabularies.bytePair(merges: [("a", "b"), ("b", "c")])
        var others = [Vocabularies.bytePair(merges: [("b", "c"), ("a", "b")]), base, base, base]
        others[1].preTokenizer = "qwen2"
        others[2].types[97] = 3
        others[3].merges = Vocabularies.packed(["a b"])
        let fingerprint = try Tokenizer(base).fingerprint
        #expect(try Tokenizer(base).fingerprint == fingerprint)
        for other in others { #expect(try Tokenizer(other).fingerprint != fingerprint) }
    }
}
