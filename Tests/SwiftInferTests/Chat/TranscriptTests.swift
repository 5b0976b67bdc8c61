// The turns of a conversation: forgetting, taking back, coding.

import Foundation
import SwiftInfer
import Testing

@Suite struct TranscriptTests {
    private func conversation(turns: Int, instructions: String? = "S") -> Transcript {
        var transcript = Transcript(instructions: instructions)
        for turn in 0..<turns {
            transcript.append(ChatMessage(role: .user, content: "q\(turn)"))
            transcript.append(ChatMessage(role: .assistant, content: "a\(turn)"))
        }
        return transcript
    }

    private func texts(_ transcript: Transcript) -> [String] { transcript.visibleMessages.map(\.content) }

    /// Ten tokens for each message.
    private func count(_ messages: [ChatMessage]) -> Int { 10 * messages.count }

    @Test func oldestTurnsAreForgotten() {
        var transcript = conversation(turns: 6)
        transcript.append(ChatMessage(role: .user, content: "q6"))
        // 14 messages have 140 tokens. A quarter of the context is left free.
        let turns = [160, 140, 140].map { transcript.fit($0, reserve: 20, count: count) }
        #expect(turns == [0, 3, 0])
        #expect(texts(transcript) == ["S", "q3", "a3", "q4", "a4", "q5", "a5", "q6"])
        #expect(transcript.forgottenCount == 6 && transcript.messages.count == 13)
    }

    @Test func theLastTurnStays() {
        var transcript = conversation(turns: 3)
        let turns = [20, 20].map { transcript.fit($0, reserve: 5, count: count) }
        #expect(turns == [2, 0])
        #expect(texts(transcript) == ["S", "q2", "a2"])
        let isForgotten = transcript.forgetOldestTurn()
        #expect(!isForgotten)
    }

    @Test func turnsAreTakenBack() {
        var transcript = conversation(turns: 2)
        let (hadAnswer, again) = (transcript.removeLastAnswer(), transcript.removeLastAnswer())
        #expect(hadAnswer && !again)
        #expect(texts(transcript) == ["S", "q0", "a0", "q1"])
        let questions = [transcript.removeLastTurn(), transcript.removeLastTurn(), transcript.removeLastTurn()]
        #expect(questions == ["q1", "q0", nil])
        #expect(texts(transcript) == ["S"])
        var other = conversation(turns: 2)
        other.removeAll()
        #expect(texts(other) == ["S"] && other.forgottenCount == 0)
    }

    /// An answer that called tools is several messages.
    @Test func callsAreTakenBackWithTheirAnswer() {
        var transcript = conversation(turns: 1)
        transcript.append(ChatMessage(role: .user, content: "q1"))
        let call = ToolCall(id: "1", name: "f", arguments: [:])
        transcript.append(ChatMessage(role: .assistant, content: "", toolCalls: [call]))
        transcript.append(ChatMessage(resultOf: call, content: "r"))
        transcript.append(ChatMessage(role: .assistant, content: "a1"))
        transcript.removeLastAnswer()
        #expect(texts(transcript) == ["S", "q0", "a0", "q1"])
    }

    // MARK: Coding

    @Test func codingKeepsTheConversation() throws {
        var transcript = conversation(turns: 2)
        let call = ToolCall(id: "1", name: "f", arguments: ["x": 1, "a": ["b": [true, nil, 1.5, "é"]]])
        transcript.append(ChatMessage(role: .assistant, content: "é\n\"x\"", thinking: "hm", toolCalls: [call]))
        transcript.append(ChatMessage(resultOf: call, content: "r"))
        transcript.forgetOldestTurn()
        let data = try JSONEncoder().encode(transcript)
        #expect(try JSONDecoder().decode(Transcript.self, from: data) == transcript)
        let silent = conversation(turns: 1, instructions: nil)
        #expect(try JSONDecoder().decode(Transcript.self, from: JSONEncoder().encode(silent)) == silent)
    }

    @Test(arguments: [
        (#"[{"role":"user","content":"x"}]"#, ["x"]),
        (#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"x"}]}"#, ["s", "x"]),
        // The arguments as an object; a message without text.
        (
            #"{"messages":[{"role":"assistant","content":null,"tool_calls":[{"function":{"name":"f","arguments":{"x":1}}}]}]}"#,
            [""]
        ),
    ])
    func otherFormsAreRead(text: String, contents: [String]) throws {
        let transcript = try JSONDecoder().decode(Transcript.self, from: Data(text.utf8))
        #expect(texts(transcript) == contents)
    }

    @Test(arguments: [
        "{}", "1", #"{"messages":[1]}"#, #"{"messages":[{"role":"user"}]}"#, #"{"messages":[],"forgotten":1}"#,
        #"{"messages":[],"forgotten":-1}"#,
        #"[{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":"[1]"}}]}]"#,
        #"[{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":"{"}}]}]"#,
    ])
    func otherTextsAreRefused(text: String) {
        #expect(throws: (any Error).self) { try JSONDecoder().decode(Transcript.self, from: Data(text.utf8)) }
    }
}
