// `swiftinfer chat --json` through the built program.

import Foundation
import TestSupport
import Testing

struct ChatCommandTests {
    private func chat(_ lines: String..., options: [String] = []) throws -> (run: Command, answers: [[String: Any]]) {
        let run = try Command(
            [
                "chat", Fixture.path("tiny-qwen2-f32"), "--json", "--chat-template", "chatml", "-n", "4",
                "--temperature", "0",
            ]
                + options, input: lines.map { $0 + "\n" }.joined())
        let answers = try run.output.split(separator: "\n").map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        return (run, answers)
    }

    @Test func eachQuestionHasALine() throws {
        let (run, answers) = try chat(#"{"role": "user", "content": "Hello"}"#, "", #""And?""#)
        #expect(run.status == 0 && run.errors.isEmpty && answers.count == 2)
        let counts = answers.map { $0["prompt_tokens"] as? Int ?? 0 }
        // The second prompt has the first turn in it.
        #expect(counts[1] > counts[0])
    }

    @Test func otherMessagesAreAdded() throws {
        let alone = try chat(#""Hello""#).answers
        let (run, answers) = try chat(
            #"{"role": "system", "content": "Be brief"}"#, #"{"role": "user", "content": "Hello"}"#,
            #"{"role": "assistant", "content": "Hi"}"#)
        #expect(run.status == 0 && answers.count == 1)
        #expect(answers[0]["prompt_tokens"] as? Int ?? 0 > alone[0]["prompt_tokens"] as? Int ?? .max)
    }

    @Test func aWrongLineIsAnErrorAndTheOthersAreAnswered() throws {
        let (run, answers) = try chat(
            "Hello", #"{"role": "user"}"#, "[1]", #"{"role": "assistent", "content": "Hi"}"#, #""Hello""#)
        #expect(run.status == 1 && answers.count == 5)
        #expect(answers.map { $0["error"] != nil } == [true, true, true, true, false])
    }

    @Test func aPromptMakesOneAnswer() throws {
        let run = try Command(
            "chat", Fixture.path("tiny-qwen2-f32"), "Hello", "--json", "--chat-template", "chatml", "-n", "2")
        #expect(run.status == 0)
        #expect(try run.json()["tokens"] != nil)
    }

    @Test func aModelWithoutATemplateIsRefused() throws {
        #expect(try Command("chat", Fixture.path("tiny-starcoder2-f32"), "--json", input: "\"Hello\"\n").isCleanFailure)
    }
}
