// The turns of a conversation: forgetting, taking back, the file.

import InferSupport
import SwiftInfer
import SwiftInferCommand
import Testing

struct TranscriptTests {
    private func conversation(turns: Int, system: String? = "S") -> Transcript {
        var transcript = Transcript(system: system)
        for turn in 0..<turns {
            transcript.append(ChatMessage(role: .user, content: "q\(turn)"))
            transcript.append(ChatMessage(role: .assistant, content: "a\(turn)"))
        }
        return transcript
    }

    private func texts(_ transcript: Transcript) -> [String] { transcript.visible.map(\.content) }

    /// Ten tokens for each message.
    private func count(_ messages: [ChatMessage]) -> Int { 10 * messages.count }

    @Test func oldestTurnsAreForgotten() {
        var transcript = conversation(turns: 6)
        transcript.append(ChatMessage(role: .user, content: "q6"))
        // 14 messages have 140 tokens. A quarter of the context is left free.
        let turns = [160, 140, 140].map { transcript.fit($0, reserve: 20, count: count) }
        #expect(turns == [0, 3, 0])
        #expect(texts(transcript) == ["S", "q3", "a3", "q4", "a4", "q5", "a5", "q6"])
        #expect(transcript.forgotten == 6 && transcript.messages.count == 13)
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
        let (hadAnswer, again) = (transcript.takeBackAnswer(), transcript.takeBackAnswer())
        #expect(hadAnswer && !again)
        #expect(texts(transcript) == ["S", "q0", "a0", "q1"])
        let questions = [transcript.undo(), transcript.undo(), transcript.undo()]
        #expect(questions == ["q1", "q0", nil])
        #expect(texts(transcript) == ["S"])
        var other = conversation(turns: 2)
        other.clear()
        #expect(texts(other) == ["S"] && other.forgotten == 0)
    }

    @Test func fileKeepsTheConversation() throws {
        var transcript = conversation(turns: 2)
        var call = ChatMessage(role: .assistant, content: "é\n\"x\"", thinking: "hm")
        call.toolCalls = [ToolCall(id: "1", name: "f", arguments: ["x": 1])]
        transcript.append(call)
        let text = transcript.json.description
        #expect(try Transcript(JSONValue(parsing: text)) == transcript)
        #expect(try Transcript(JSONValue(parsing: #"[{"role":"user","content":"x"}]"#)).visible.map(\.content) == ["x"])
        for bad in ["{}", "1", #"{"messages":[1]}"#, #"{"messages":[{"role":"user"}]}"#] {
            #expect(throws: InferenceError.self) { try Transcript(JSONValue(parsing: bad)) }
        }
    }
}
