// The spelling of a control token in a message stays text, in every vocabulary and every chat format.

import Foundation
import InferGGUF
import InferTemplates
import InferTokenizers
import TestSupport
import Testing

@Suite struct ControlTokenTests {
    /// A template of each format, reduced to the marks that identify it.
    static let templates = [
        "<|im_start|>", "<|im_start|><|im_sep|>", "[INST] <<SYS>>", "<|start_header_id|><|end_header_id|>",
        "<|start_header_id|><|end_header_id|>Cutting Knowledge Date: December 2023", " [INST] [AVAILABLE_TOOLS]",
        "'[INST] ' [AVAILABLE_TOOLS]", "\"[INST]\"[AVAILABLE_TOOLS] loop.last and system_message",
        "[INST] [SYSTEM_PROMPT] x", "[INST]'[SYSTEM_PROMPT]'", "### Instruction: <|EOT|>",
        "'Assistant: ' + message['content'] + eos_token", "<｜Assistant｜> <｜User｜>",
        "<｜User｜>{{'<｜Assistant｜><think>\\n'}}", "<start_of_turn>", "<|start_of_role|>", "System: Question: Answer:",
        "<|start|> <|channel|>", "<|assistant|> <|end|>", "<|user|> <|endoftext|>",
    ]

    /// The marks of all formats.
    static let marks = [
        "<|im_start|>", "<|im_end|>", "<|im_sep|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "[INST]",
        "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "<|EOT|>", "<｜User｜>", "<｜Assistant｜>",
        "<｜end▁of▁sentence｜>", "<start_of_turn>", "<end_of_turn>", "<|start_of_role|>", "<|end_of_role|>",
        "<|end_of_text|>", "<|start|>", "<|channel|>", "<|message|>", "<|return|>", "<|call|>", "<|end|>", "<|user|>",
        "<|assistant|>", "<|system|>", "<|endoftext|>", "</assistant>",
    ]

    private static func types(_ tokenizer: Tokenizer) -> [TokenID] {
        (0..<TokenID(tokenizer.count)).filter {
            tokenizer.type(of: $0) == .control || tokenizer.type(of: $0) == .unknown
        }
    }

    /// The distinct vocabularies of the committed models, and three more.
    static func vocabularies() throws -> [(name: String, tokenizer: Tokenizer)] {
        var result: [(String, Tokenizer)] = []
        var seen: Set<UInt64> = []
        for name in Fixture.names {
            guard let tokenizer = try? Tokenizer(metadata: Fixture.file(name).metadata),
                seen.insert(tokenizer.fingerprint).inserted
            else { continue }
            result.append((name, tokenizer))
        }
        let merges = [
            ("<", "|"), ("|", ">"), ("i", "m"), ("e", "n"), ("en", "d"), ("\n", "\n"), (" ", "a"), (">", "\n"),
        ]
        let controls = marks.map { ($0, TokenType.control) }
        result.append(("byte pairs", try Tokenizer(Vocabularies.bytePair(merges: merges, special: controls))))
        result.append(
            (
                "whole words",
                try Tokenizer(Vocabularies.bytePair(merges: merges, pre: "llama-bpe", special: controls))
            ))
        var pieces = Vocabularies.sentencePiece(
            [("s>", -1), ("</", -2), ("▁a", -3), ("|>", -4), ("<|", -5), ("[I", -6)] + marks.map { ($0, -9) })
        let first = 259 + 6
        for id in first..<first + marks.count { pieces.types[id] = TokenType.control.rawValue }
        result.append(("pieces", try Tokenizer(pieces)))
        return result
    }

    private static func spaced(_ text: String) -> String {
        String(text.map { $0 == "▁" ? " " : $0 })
    }

    private static func conversation(_ content: String, in place: Int) -> [ChatMessage] {
        let contents = (0..<4).map { place == $0 ? content : "a" }
        return zip([.system, .user, .assistant, .user], contents).map { ChatMessage(role: $0, content: $1) }
    }

    @Test func spelledControlTokensAreText() throws {
        var cases = 0
        let templates = try Self.templates.map { try #require(FixedChatTemplate(recognizing: $0)) }
        #expect(Set(templates.map(\.format)).count == 18)
        for (name, tokenizer) in try Self.vocabularies() {
            let controls = Self.types(tokenizer)
            // Visible marks have another type.
            let marks = Set(controls + Self.marks.compactMap { tokenizer.token($0) })
            func markCount(_ tokens: [TokenID]) -> Int { tokens.count { marks.contains($0) } }
            for template in templates {
                let harmless = (0..<4).map { place in
                    markCount(tokenizer.encode(template.render(Self.conversation("ab", in: place))))
                }
                for id in marks {
                    let spelling = try #require(tokenizer.text(of: id))
                    for place in 0..<4 {
                        let content = "a\(spelling)b"
                        let text = template.render(Self.conversation(content, in: place))
                        let tokens = tokenizer.encode(text)
                        cases += 1
                        #expect(
                            markCount(tokens) == harmless[place], "\(name) \(template.format) \(spelling) in \(place)")
                        // SentencePiece puts spaces after marks, and reads U+2581 as a space.
                        #expect(
                            Self.spaced(tokenizer.decode(tokens)).contains(Self.spaced(content)),
                            "\(name) \(template.format) \(spelling) in \(place)")
                    }
                }
            }
        }
        // Fail if a change of the vocabularies makes the test empty.
        #expect(cases > 10_000, "\(cases) cases")
    }

    @Test func textsWithoutMarksAreEncodedAsAWhole() throws {
        let contents = ["ab", " a", "\n\na", "a\n", "a ", "", "<", "<|", "▁", "é\u{301}", "\u{3}", "[", "im"]
        for (name, tokenizer) in try Self.vocabularies() {
            for template in try Self.templates.map({ try #require(FixedChatTemplate(recognizing: $0)) }) {
                for content in contents {
                    for place in 0..<4 {
                        let text = template.render(Self.conversation(content, in: place))
                        #expect(
                            tokenizer.encode(text) == tokenizer.encode(text.text, parseSpecial: true),
                            "\(name) \(template.format) \(content.debugDescription) in \(place)")
                    }
                }
            }
        }
    }

    @Test func userDefinedTokensAreFoundEverywhere() throws {
        let tokenizer = try Tokenizer(
            Vocabularies.bytePair(
                merges: [], special: [("<tag>", .userDefined), ("<tag>x", .control), ("<end>", .control)]))
        let text: PromptText = "<end><tag>x\("<tag>x<end")><ta\("g>")<end>"
        #expect(
            tokenizer.encode(text)
                == [258, 257, 256] + "x<end>".utf8.map(TokenID.init) + [256, 258])
    }

    @Test func marksOfHarmonyAreTextInAMessage() throws {
        let special = ["<|start|>", "<|channel|>", "<|message|>", "<|return|>", "<|call|>", "<|end|>"]
        let tokenizer = try Tokenizer(
            Vocabularies.bytePair(merges: [], special: special.map { ($0, .control) }))
        let tokens = tokenizer.encode("<|start|>system<|message|><|end|>", addSpecial: false)
        #expect(tokens.allSatisfy { $0 < 256 })
        let template = try #require(FixedChatTemplate(recognizing: "<|start|> <|channel|>"))
        let answer = "<|channel|>analysis<|message|>t<|end|><|start|>assistant<|channel|>final<|message|>A"
        #expect(
            template.render([ChatMessage(role: .assistant, content: answer)], addGenerationPrompt: false).text
                .hasSuffix("<|end|><|start|>assistant<|channel|>final<|message|>A<|end|>"))
    }
}
