// Conversations: what is remembered and forgotten, events, tools, cancelling.

import Foundation
import InferSupport
import SwiftInfer
import Synchronization
import TestSupport
import Testing

@Suite struct ChatTests {
    /// The tiny model that writes conversations as ChatML, whose answers are noise.
    private static let name = "tiny-qwen2-f32"
    private static let options = GenerationOptions.exactly(8)

    /// Conversations with calls in JSON.
    private static let template = """
        {% for message in messages %}<|im_start|>{{ message.role }}
        {{ message.content }}{% for call in message.tool_calls or [] %}<tool_call>
        {{ call.function | tojson }}
        </tool_call>{% endfor %}<|im_end|>
        {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
        {% endif %}
        """

    private func makeChat(
        _ length: Int = 1024, tools: [Tool] = [], instructions: String? = "Be brief.", rounds: Int = 8
    ) throws -> Chat {
        var options = Model.Options(threads: 1)
        if !tools.isEmpty { options.chatTemplate = .jinja(Self.template) }
        let model = try Model(contentsOf: Fixture.path(Self.name), options: options)
        let session = try model.makeSession(.init(contextLength: length, drafter: .none))
        return Chat(session, tools: tools, instructions: instructions, maximumToolRounds: rounds)
    }

    // MARK: Turns

    @Test func turnsAreRememberedAndNotEvaluatedAgain() async throws {
        let chat = try makeChat()
        let first = try await chat.respond(to: "one two three", options: Self.options)
        let second = try await chat.respond(to: "four", options: Self.options)
        #expect(chat.transcript.messages.map(\.role) == [.user, .assistant, .user, .assistant])
        #expect(chat.transcript.messages[1].content == first.text && second.messages == [chat.transcript.messages[3]])
        #expect(second.statistics.reusedTokens >= first.statistics.promptTokens)

        // The same as the whole conversation at once.
        let session = try Fixture.model(Self.name).makeSession(.plain)
        let messages = [ChatMessage(role: .system, content: "Be brief.")] + chat.transcript.messages.dropLast()
        var options = Self.options
        options.includesControlTokens = true
        let whole = try await session.respond(to: .chat(messages), options: options)
        #expect(whole.statistics.tokens == second.statistics.tokens)
        #expect(whole.statistics.logitsHash == second.statistics.logitsHash)
        #expect(whole.statistics.promptTokens == second.statistics.promptTokens)
    }

    @Test func oldestTurnsAreForgottenWhenTheContextIsFull() async throws {
        let chat = try makeChat(128)
        var forgotten = 0
        for turn in 0..<12 {
            for try await event in chat.streamResponse(to: "question \(turn) one two three", options: Self.options) {
                if case .forgot(let turns) = event { forgotten += turns }
                if case .finished(let response) = event { #expect(response.statistics.promptTokens <= 120) }
            }
        }
        #expect(forgotten > 3 && chat.transcript.forgottenCount == 2 * forgotten)
        #expect(
            chat.transcript.messages.count == 24 && chat.transcript.messages[0].content == "question 0 one two three")
        #expect(chat.transcript.visibleMessages.first?.content == "Be brief.")
        #expect(chat.transcript.visibleMessages.last?.role == .assistant)
    }

    @Test func answersGoOnInAFullContext() async throws {
        let chat = try makeChat(128, instructions: nil)
        try await _ = chat.respond(to: "one two three four", options: .exactly(10))
        let long = try await chat.respond(to: "five six", options: .exactly(90))
        #expect(long.statistics.tokens.count == 90 && long.statistics.finishReason == .length)
        #expect(chat.transcript.forgottenCount == 2 && long.statistics.logitsHash != nil)
    }

    @Test func questionThatDoesNotFitIsNoPartOfTheTranscript() async throws {
        let chat = try makeChat(48)
        await expectRefusal(.contextFull, "context holds only 48") {
            try await chat.respond(to: String(repeating: "long ", count: 60))
        }
        #expect(chat.transcript.messages.isEmpty && !chat.isResponding)
        #expect(try await chat.respond(to: "short", options: .exactly(2)).statistics.tokens.count == 2)
    }

    @Test func answersAreRepeatedAndTakenBack() async throws {
        let chat = try makeChat()
        let first = try await chat.respond(to: "one two", options: Self.options)
        await expectRefusal(.invalidArgument, "no question") { try await chat.respond() }
        try chat.changeTranscript { _ = $0.removeLastAnswer() }
        let again = try await chat.respond(options: Self.options)
        #expect(again.text == first.text && chat.transcript.messages.count == 2)
        #expect(try chat.changeTranscript { $0.removeLastTurn() } == "one two")
        await expectRefusal(.invalidArgument, "no question") { try await chat.respond() }
    }

    // MARK: Events

    @Test func eventsAddUpToTheAnswer() async throws {
        let chat = try makeChat()
        var options = Self.options
        options.reportsTokens = true
        var (text, tokens) = ("", 0)
        var response: Response?
        for try await event in chat.streamResponse(to: "one two", options: options) {
            #expect(response == nil)
            #expect(chat.isResponding || { if case .finished = event { true } else { false } }())
            switch event {
            case .text(let piece): text += piece
            case .token: tokens += 1
            case .finished(let last): response = last
            default: break
            }
        }
        #expect(response?.text == text && tokens == 8)
        #expect(chat.transcript.lastAnswer?.content == text)
    }

    @Test func answersThatAreLeftLeaveNothing() async throws {
        let chat = try makeChat()
        for try await event in chat.streamResponse(to: "one two", options: Self.options) {
            guard case .text = event else { continue }
            await expectRefusal(.busy, "answering") { try await chat.respond(to: "x") }
            expectRefusal(.busy, "answering") { try chat.changeTranscript { $0.removeAll() } }
            break
        }
        #expect(chat.transcript.messages.isEmpty && !chat.isResponding)
        _ = try await chat.respond(to: "one two", options: Self.options)
        #expect(chat.transcript.messages.count == 2)
    }

    @Test func cancelledAnswersAreKeptOnceTheirTextHasBegun() async throws {
        let chat = try makeChat()
        let early = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await chat.respond(to: "one two", options: Self.options)
        }
        #expect(try await early.value.statistics.finishReason == .cancelled)
        #expect(chat.transcript.messages.isEmpty)

        let late = Task {
            for try await event in chat.streamResponse(to: "one two", options: .exactly(100)) {
                if case .text = event { withUnsafeCurrentTask { $0?.cancel() } }
                if case .finished(let response) = event { return response }
            }
            throw InferenceError(.cancelled, "there was no end")
        }
        let response = try await late.value
        #expect(response.statistics.finishReason == .cancelled && !response.text.isEmpty)
        #expect(chat.transcript.lastAnswer?.content == response.text)
    }

    // MARK: Tools

    private struct City: Generable, Encodable {
        enum Name: String, Codable, CaseIterable { case Oslo, Rome }
        var name: Name
        var days: Int

        static var jsonSchema: JSONSchema {
            get throws(InferenceError) { .object(["name": .oneOf("Oslo", "Rome"), "days": .integer(0...9)]) }
        }
    }

    @Test func toolsAreCalledAndTheirResultsGoBack() async throws {
        let calls = Mutex<[City]>([])
        let weather = try Tool(name: "weather", description: "The weather in a city.") { (city: City) in
            calls.withLock { $0.append(city) }
            return "\(city.days) degrees"
        }
        let chat = try makeChat(tools: [weather])
        var (events, response): ([String], Response?) = ([], nil)
        let stream = chat.streamResponse(to: "What weather?", options: .exactly(200), requiresToolCall: true)
        for try await event in stream {
            switch event {
            case .toolCall(let call): events.append("call \(call.name)")
            case .toolResult(let result, let call): events.append("\(result) of \(call.name)")
            case .finished(let last): response = last
            default: break
            }
        }
        let city = try #require(calls.withLock { $0 }.first)
        #expect(events == ["call weather", "\(city.days) degrees of weather"])
        let messages = try #require(response).messages
        #expect(messages.map(\.role) == [.assistant, .tool, .assistant])
        #expect(messages[0].toolCalls.map(\.name) == ["weather"])
        #expect(messages[1].content == "\(city.days) degrees" && messages[1].toolCallID == messages[0].toolCalls[0].id)
        #expect(Array(chat.transcript.messages.dropFirst()) == messages)
        #expect(response?.statistics.tokens.count == 200)
    }

    @Test func errorsOfToolsGoToTheModel() async throws {
        struct Failure: Error, CustomStringConvertible { let description = "the sensor is broken" }
        let tools = [
            Tool(name: "fail", description: "Fails.", parameters: .object([:])) { _ in throw Failure() },
            try Tool(name: "typed", description: "Takes a city.") { (_: City) in "fine" },
        ]
        func result(_ name: String, _ arguments: JSONObject) async -> String {
            await tools.result(of: ToolCall(id: "1", name: name, arguments: arguments))
        }
        #expect(await result("fail", [:]) == "error: the sensor is broken")
        #expect(await result("other", [:]) == "error: there is no tool other; there are: fail, typed")
        #expect(await result("typed", ["name": "Oslo", "days": 1]) == "fine")
        #expect(await result("typed", ["days": 1]) == "error: the arguments are not as described: name is missing")
        #expect(await result("typed", ["name": "Oslo", "days": "many"]).hasSuffix("(days)"))
    }

    @Test func roundsOfCallsAreLimited() async throws {
        let tool = Tool(name: "again", description: "Again.", parameters: .object([:])) { _ in "again" }
        let chat = try makeChat(tools: [tool], rounds: 0)
        await expectRefusal(.incompleteAnswer, "after 0 rounds") {
            try await chat.respond(to: "x", options: .exactly(200), requiresToolCall: true)
        }
        #expect(chat.transcript.messages.isEmpty)
        let twice = try makeChat(tools: [tool, tool])
        await expectRefusal(.invalidArgument, "two tools") { try await twice.respond(to: "x") }
        let none = try makeChat()
        await expectRefusal(.unsupportedTemplate, "forced") { try await none.respond(to: "x", requiresToolCall: true) }
    }

    @Test func cancellingReachesTools() async throws {
        let tool = Tool(name: "wait", description: "Waits.", parameters: .object([:])) { _ in
            withUnsafeCurrentTask { $0?.cancel() }
            try await Task.sleep(for: .seconds(600))
            return "never"
        }
        let chat = try makeChat(tools: [tool])
        let task = Task { try await chat.respond(to: "x", options: .exactly(200), requiresToolCall: true) }
        #expect(try await task.value.statistics.finishReason == .cancelled)
        #expect(chat.transcript.messages.isEmpty && !chat.isResponding)
    }

    // MARK: Values

    @Test func answersAreValues() async throws {
        let chat = try makeChat()
        let response = try await chat.respond(to: "A city, in JSON.", generating: City.self)
        #expect((0...9).contains(response.content.days))
        #expect(chat.transcript.lastAnswer?.content == response.text)
    }
}
