// OpenAI's interfaces: completions, conversations, responses.

#if Server

import Foundation
import InferSupport
import InferTemplates
import SwiftInfer
import TestSupport
import Testing

#if DEBUG
@testable import SwiftInferServer
#else
import SwiftInferServer
#endif

@Suite struct OpenAITests {
    @Test func completionsAreThoseOfTheLibrary() async throws {
        let model = try Model(contentsOf: Fixture.path("tiny-qwen2-f32"), options: .init(threads: 1))
        var options = GenerationOptions(maximumTokens: 12)
        options.ignoresEndOfText = true
        let alone = try await model.makeSession(.init(drafter: .none)).respond(
            to: .text("let x = 1"), options: options)
        try await TestServer.run { server in
            let request: JSONValue = ["prompt": "let x = 1", "max_tokens": 12, "ignore_eos": true]
            let reply = try await server.post("/v1/completions", request)
            #expect(reply.status == 200)
            #expect(reply.json["object"] == "text_completion")
            #expect(reply.json["choices"]?.array?[0]["text"]?.string == alone.text)
            #expect(reply.json["choices"]?.array?[0]["finish_reason"] == "length")
            #expect(reply.json["usage"]?["completion_tokens"] == 12)
            let tokens = try model.tokens(for: .text("let x = 1"))
            let same = try await server.post(
                "/v1/completions",
                [
                    "prompt": .array(tokens.map { .integer(Int($0)) }), "max_tokens": 12, "ignore_eos": true,
                    "drafter": "prompt-lookup",
                ])
            #expect(same.json["choices"]?.array?[0]["text"]?.string == alone.text)
        }
    }

    @Test func aStreamGivesTheSameText() async throws {
        try await TestServer.run { server in
            var request: JSONObject = ["prompt": "class A", "max_tokens": 10, "ignore_eos": true]
            let whole = try await server.post("/v1/completions", .object(request))
            request["stream"] = true
            request["stream_options"] = ["include_usage": true]
            let reply = try await server.post("/v1/completions", .object(request))
            #expect(reply.headers["content-type"]?.hasPrefix("text/event-stream") == true)
            #expect(reply.body.hasSuffix("data: [DONE]\n\n"))
            let text = reply.events.compactMap { $0["choices"]?.array?.first?["text"]?.string }.joined()
            #expect(text == whole.json["choices"]?.array?[0]["text"]?.string)
            #expect(reply.events.last?["usage"]?["completion_tokens"] == 10)
            #expect(reply.events.dropLast().last?["choices"]?.array?[0]["finish_reason"] == "length")
        }
    }

    @Test func aSuffixMakesAGap() async throws {
        try await TestServer.run { server in
            let reply = try await server.post(
                "/v1/completions", ["prompt": "def f():\n", "suffix": "\nf()", "max_tokens": 4])
            #expect(reply.status == 200)
            let plain = try await server.post("/v1/completions", ["prompt": "def f():\n", "max_tokens": 4])
            #expect(reply.json["usage"]?["prompt_tokens"] != plain.json["usage"]?["prompt_tokens"])
        }
        try await TestServer.run("tiny-llama-f32") { server in
            let reply = try await server.post("/v1/completions", ["prompt": "a", "suffix": "b", "max_tokens": 4])
            #expect(reply.status == 400 && reply.error("param") == "suffix")
        }
    }

    @Test func severalPromptsGiveSeveralAnswers() async throws {
        try await TestServer.run { server in
            let reply = try await server.post(
                "/v1/completions",
                ["prompt": ["a", "b"], "n": 2, "max_tokens": 3, "temperature": 1, "seed": 7, "ignore_eos": true])
            let choices = try #require(reply.json["choices"]?.array)
            #expect(choices.map { $0["index"] } == [0, 1, 2, 3])
            let again = try await server.post(
                "/v1/completions",
                ["prompt": ["a", "b"], "n": 2, "max_tokens": 3, "temperature": 1, "seed": 7, "ignore_eos": true])
            #expect(again.json["choices"] == reply.json["choices"])
        }
    }

    @Test func conversationsAreAnswered() async throws {
        try await TestServer.run { server in
            let messages: JSONValue = [
                ["role": "developer", "content": "Be brief."],
                ["role": "user", "content": [["type": "text", "text": "Hello"]]],
            ]
            let reply = try await server.post(
                "/v1/chat/completions", ["messages": messages, "max_completion_tokens": 6])
            #expect(reply.status == 200)
            #expect(reply.json["object"] == "chat.completion")
            let text = try #require(reply.json["choices"]?.array?[0]["message"]?["content"]?.string)
            let stream = try await server.post(
                "/v1/chat/completions", ["messages": messages, "max_tokens": 6, "stream": true, "swiftinfer": true])
            let first = try #require(stream.events.first?["choices"]?.array?[0]["delta"])
            #expect(first["role"] == "assistant")
            let joined = stream.events.compactMap { $0["choices"]?.array?.first?["delta"]?["content"]?.string }.joined()
            #expect(joined == text)
        }
    }

    // The forms of answers are internal. Models that call tools are too large for a test.
    #if DEBUG
    @Test func callsOfToolsComeInDeltas() throws {
        let model = try Model(contentsOf: Fixture.path("tiny-qwen3-f32"), options: .init(threads: 1))
        let options = InferenceServer.Options(modelName: "m")
        let served = ServedModel(model: model, scheduler: try Scheduler(model), options: options)
        let fields = try GenerationFields(RequestReader(["drafter": "none"]), served, owner: "", limit: [])
        let parser = AnswerParser(templateSource: "<tool_call></tool_call><think></think>", prompt: "")
        var form = ChatAnswer(served: served, fields: fields, parser: parser)
        var pieces = form.begin()
        let answer = "<think>a</think>Hi.<tool_call>{\"name\": \"f\", \"arguments\": {\"x\": 1}}</tool_call>"
        for character in answer { pieces += form.pieces(for: .text(answer: 0, String(character), tokens: [])) }
        pieces += form.pieces(for: .finished(answer: 0, Statistics(), tokens: []))
        let deltas = pieces.compactMap { piece -> JSONValue? in
            guard case .data(let json, _) = piece else { return nil }
            return json["choices"]?.array?[0]
        }
        #expect(deltas.compactMap { $0["delta"]?["content"]?.string }.joined() == "Hi.")
        #expect(deltas.compactMap { $0["delta"]?["reasoning_content"]?.string }.joined() == "a")
        let calls = deltas.compactMap { $0["delta"]?["tool_calls"]?.array?.first }
        let call = try #require(calls.first)
        #expect(call["function"] == ["name": "f", "arguments": "{\"x\":1}"])
        #expect(deltas.last?["finish_reason"] == "tool_calls")

        var response = ResponseAnswer(served: served, request: [:], parser: parser)
        pieces = response.begin() + response.pieces(for: .text(answer: 0, answer, tokens: []))
        pieces += response.pieces(for: .finished(answer: 0, Statistics(), tokens: []))
        let types = pieces.compactMap { piece -> String? in
            if case .data(_, let name) = piece { name } else { nil }
        }
        #expect(types.first == "response.created" && types.last == "response.completed")
        #expect(types.contains("response.function_call_arguments.done"))
        #expect(types.contains("response.reasoning_text.delta"))
    }
    #endif

    @Test func responsesHaveItemsAndEvents() async throws {
        try await TestServer.run { server in
            let request: JSONValue = ["input": "Hello", "instructions": "Be brief.", "max_output_tokens": 5]
            let reply = try await server.post("/v1/responses", request)
            #expect(reply.status == 200 && reply.json["object"] == "response")
            let item = try #require(reply.json["output"]?.array?.last)
            #expect(item["type"] == "message")
            let stream = try await server.post(
                "/v1/responses",
                ["input": "Hello", "instructions": "Be brief.", "max_output_tokens": 5, "stream": true])
            let events = stream.events
            #expect(events.enumerated().allSatisfy { $1["sequence_number"] == .integer($0) })
            let text = events.filter { $0["type"] == "response.output_text.delta" }
                .compactMap { $0["delta"]?.string }.joined()
            #expect(text == item["content"]?.array?[0]["text"]?.string)
            #expect(stream.body.contains("event: response.created\n"))
            let refused = try await server.post("/v1/responses", ["input": "a", "previous_response_id": "resp_1"])
            #expect(refused.status == 400 && refused.error("param") == "previous_response_id")
        }
    }

    @Test func textsHaveEmbeddings() async throws {
        try await TestServer.run { server in
            let model = try Model(contentsOf: Fixture.path("tiny-qwen2-f32"), options: .init(threads: 1))
            let expected = try await model.embedding(of: .text("let a"))
            func values(_ json: JSONValue?) -> [Float] { json?.array?.map { Float($0.double ?? .nan) } ?? [] }
            let reply = try await server.post("/v1/embeddings", ["input": ["let a", "func"], "model": "m"])
            #expect(reply.status == 200 && reply.json["data"]?.array?.count == 2)
            #expect(values(reply.json["data"]?.array?.first?["embedding"]) == expected)
            let packed = try await server.post("/v1/embeddings", ["input": "let a", "encoding_format": "base64"])
            let bytes = Data(base64Encoded: packed.json["data"]?.array?.first?["embedding"]?.string ?? "") ?? Data()
            #expect(bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) } == expected)
            let ollama = try await server.post("/api/embed", ["input": "let a"])
            #expect(values(ollama.json["embeddings"]?.array?.first) == expected)
            let old = try await server.post("/api/embeddings", ["prompt": "let a"])
            #expect(values(old.json["embedding"]) == expected)
            for (body, field) in [
                (["input": []], "input"), ([:], "input"), (["input": ["a", true]], "input[1]"),
                (["input": "a", "dimensions": 3], "dimensions"),
                (["input": "a", "encoding_format": "hex"], "encoding_format"),
            ] as [(JSONValue, String)] {
                let refused = try await server.post("/v1/embeddings", body)
                #expect(refused.status == 400 && refused.error("param") == field, "\(refused)")
            }
        }
    }

    @Test func theModelIsListed() async throws {
        try await TestServer.run(edit: {
            $0.requiresModelName = true
        }) { server in
            let reply = try await server.get("/v1/models")
            #expect(reply.json["data"]?.array?[0]["id"] == "tiny-qwen2-f32")
            #expect(try await server.get("/v1/models/tiny-qwen2-f32").status == 200)
            #expect(try await server.get("/v1/models/..%2F..%2Fetc").status == 404)
            let unknown = try await server.post("/v1/completions", ["model": "gpt", "prompt": "a"])
            #expect(unknown.status == 404 && unknown.error("code") == "model_not_found")
        }
    }
}

#endif
