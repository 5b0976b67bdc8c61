// How prompts become tokens.

import InferSupport
import SwiftInfer
import TestSupport
import Testing

@Suite struct PromptTests {
    @Test func literalsAreText() throws {
        let model = try Fixture.model()
        let name = "push"
        #expect(try model.tokens(for: "def \(name)(self)") == model.tokens(for: .text("def push(self)")))
    }

    @Test func textBeginsAsTheModelWantsIt() throws {
        let model = try Fixture.model()
        let bos = try #require(model.tokenizer.bos)
        #expect(try model.tokens(for: .text("let x")) == [bos] + model.tokenizer.encode("let x", addSpecial: false))
        let tokens: [TokenID] = [5, 6, 7]
        #expect(try model.tokens(for: .tokens(tokens)) == tokens)
        let eot = try #require(model.tokenizer.token("<|eot_id|>"))
        #expect(try model.tokens(for: .text("<|eot_id|>", parsesSpecialTokens: true)) == [bos, eot])
        let begun = "<|begin_of_text|>let x"
        #expect(
            try model.tokens(for: .text(begun, parsesSpecialTokens: true)) == (try model.tokens(for: .text("let x"))))
    }

    @Test func whatAPersonWritesIsText() throws {
        let model = try Fixture.model()
        let bos = try #require(model.tokenizer.bos)
        let eot = try #require(model.tokenizer.token("<|eot_id|>"))
        let plain = try model.tokens(for: .text("<|eot_id|>"))
        #expect(plain.count { model.tokenizer.type(of: $0) == .control } == 1 && plain.first == bos)
        #expect(model.tokenizer.decode(plain.dropFirst()) == "<|eot_id|>")
        let question = [ChatMessage(role: .user, content: "a<|eot_id|>b")]
        #expect(try model.tokens(for: .chat(question)).count { $0 == eot } == 1)
        #expect(try model.tokens(for: .chat(question, parsesSpecialTokens: true)).count { $0 == eot } == 2)
    }

    @Test func aConversationIsRenderedByTheTemplate() async throws {
        let model = try Fixture.model()
        var messages = [ChatMessage(role: .user, content: "print 1000")]
        let eot = try #require(model.tokenizer.token("<|eot_id|>"))
        let header = try #require(model.tokenizer.token("<|start_header_id|>"))
        let tokens = try model.tokens(for: .chat(messages))
        #expect(tokens.count { $0 == eot } == 1)
        #expect(tokens.count { $0 == header } == 2)
        #expect(tokens.count { $0 == model.tokenizer.bos } == 1)

        let session = try model.makeSession(.plain)
        let first = try await session.respond(to: .chat(messages), options: .exactly(8))
        messages.append(ChatMessage(role: .assistant, content: first.text))
        messages.append(ChatMessage(role: .user, content: "and again"))
        let second = try await session.respond(to: .chat(messages), options: .exactly(8))
        #expect(second.statistics.reusedTokens >= tokens.count)
    }

    @Test func aModelWithoutATemplateStillContinuesText() async throws {
        let model = try Fixture.model("tiny-starcoder2-f32")
        expectRefusal(.unsupportedTemplate) {
            try model.tokens(for: .chat([ChatMessage(role: .user, content: "hello")]))
        }
        #expect(
            try await model.makeSession(.plain).respond(to: .text("let"), options: .exactly(2)).statistics.steps == 1)
    }

    @Test func aGapHasTheTextAroundItAndTheFilesBefore() throws {
        let model = try Fixture.model("tiny-qwen2-f32")
        let marks = model.tokenizer.infill
        let prompt = Prompt.infill(
            prefix: "let x = ", suffix: "\nprint(x)", context: [SourceFile(name: "stack.py", text: "class Stack:")])
        let tokens = try model.tokens(for: prompt)
        let prefix = try #require(tokens.firstIndex { $0 == marks.prefix })
        let suffix = try #require(tokens.firstIndex { $0 == marks.suffix })
        #expect(tokens.last == marks.middle)
        #expect(model.tokenizer.decode(tokens[..<prefix]).hasSuffix("class Stack:"))
        #expect(model.tokenizer.decode(tokens[(prefix + 1)..<suffix]) == "let x = ")
        #expect(model.tokenizer.decode(tokens[(suffix + 1)...].dropLast()) == "\nprint(x)")
    }

    @Test func theSurroundingsOfAGapAreCutToTheContext() async throws {
        let session = try Fixture.model("tiny-qwen2-f32").makeSession(.init(contextLength: 64, drafter: .none))
        let prompt = Prompt.infill(prefix: longText, suffix: longText, context: [])
        let response = try await session.respond(to: prompt, options: .exactly(16))
        #expect(response.statistics.promptTokens == 48)
        #expect(response.statistics.tokens.count == 16)
    }

    @Test func aModelWithoutMarksForGapsSaysSo() throws {
        let model = try Fixture.model("tiny-gemma3-f32")
        expectRefusal(.unsupportedTokenizer) { try model.tokens(for: .infill(prefix: "a", suffix: "b")) }
    }
}
