// Answers of a certain form, through each interface.

#if Server

import InferSupport
import SwiftInfer
import TestSupport
import Testing

@Suite struct AnswerFormTests {
    private static let schema: JSONValue = [
        "type": "object",
        "properties": ["a": ["enum": ["x", "y"]], "b": ["type": "integer", "maximum": 99, "minimum": 0]],
        "required": ["a", "b"],
    ]
    private static let messages: JSONValue = [["role": "user", "content": "a and b?"]]

    /// Checks that a text is a value of the schema.
    private func expectValue(_ text: String?) throws {
        let value = try JSONValue(parsing: try #require(text))
        let keys = value.object?.members.map(\.key)
        #expect(keys == ["a", "b"] && ["x", "y"].contains(value["a"]?.string))
    }

    @Test func schemas() async throws {
        try await TestServer.run { server in
            let format: JSONValue = [
                "type": "json_schema", "json_schema": ["name": "t", "schema": Self.schema, "strict": true],
            ]
            let chat = try await server.post(
                "/v1/chat/completions", ["messages": Self.messages, "response_format": format])
            try expectValue(chat.json["choices"]?.array?[0]["message"]?["content"]?.string)
            #expect(chat.json["choices"]?.array?[0]["finish_reason"] == "stop")

            let object = try await server.post(
                "/v1/chat/completions",
                [
                    "messages": Self.messages, "response_format": ["type": "json_object"], "temperature": 1, "seed": 1,
                    "max_tokens": 9,
                ])
            #expect(object.json["choices"]?.array?[0]["message"]?["content"]?.string?.hasPrefix("{") ?? false)

            for (path, field) in [("/v1/completions", "json_schema"), ("/v1/completions", "guided_json")] {
                let reply = try await server.post(path, ["prompt": "a", field: Self.schema, "max_tokens": 64])
                try expectValue(reply.json["choices"]?.array?[0]["text"]?.string)
            }
            let llama = try await server.post(
                "/completion", ["prompt": "a", "json_schema": Self.schema, "n_predict": 64])
            try expectValue(llama.json["content"]?.string)

            let responses = try await server.post(
                "/v1/responses",
                ["input": "a?", "text": ["format": ["type": "json_schema", "name": "t", "schema": Self.schema]]])
            try expectValue(responses.json["output"]?.array?[0]["content"]?.array?[0]["text"]?.string)

            let ollama = try await server.post(
                "/api/chat", ["model": "x", "messages": Self.messages, "format": Self.schema, "stream": false])
            try expectValue(ollama.json["message"]?["content"]?.string)
            let any = try await server.post(
                "/api/generate",
                ["model": "x", "prompt": "a", "format": "json", "stream": false, "options": ["num_predict": 9]])
            #expect(any.json["response"]?.string?.hasPrefix("{") ?? false)
            let wrong = try await server.post("/api/generate", ["model": "x", "prompt": "a", "format": "yaml"])
            #expect(wrong.status == 400 && (wrong.json["error"]?.string?.contains("format") ?? false))
        }
    }

    @Test func otherForms() async throws {
        try await TestServer.run { server in
            let grammar = try await server.post(
                "/completion",
                ["prompt": "a", "grammar": "root ::= (\"yes\" | \"no\") \"!\"", "temperature": 2, "seed": 5])
            #expect(["yes!", "no!"].contains(grammar.json["content"]?.string))
            let choice = try await server.post("/v1/completions", ["prompt": "a", "guided_choice": ["a+b", "(c)"]])
            #expect(["a+b", "(c)"].contains(choice.json["choices"]?.array?[0]["text"]?.string))
            let regex = try await server.post("/v1/completions", ["prompt": "a", "guided_regex": "[0-9]{3}-[a-f]"])
            #expect(regex.json["choices"]?.array?[0]["text"]?.string?.wholeMatch(of: /[0-9]{3}-[a-f]/) != nil)
        }
    }

    @Test func callsAreForced() async throws {
        @Sendable func load() throws -> Model {
            var options = Model.Options(threads: 1)
            options.chatTemplate = .jinja(
                """
                {{ messages[0].content }}{% for message in messages %}{% for call in message.tool_calls or [] %}<tool_call>
                {"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
                </tool_call>{% endfor %}{% endfor %}{% if add_generation_prompt %}<think>{% endif %}
                """)
            return try Model(contentsOf: Fixture.path("tiny-qwen2-f32"), options: options)
        }
        func tool(_ name: String) -> JSONValue {
            ["type": "function", "function": ["name": .string(name), "parameters": Self.schema]]
        }
        let tools: JSONValue = [tool("one"), tool("two")]
        try await TestServer.run(load: load) { server in
            for (choice, names) in [
                ("required" as JSONValue, ["one", "two"]),
                (["type": "function", "function": ["name": "two"]], ["two"]),
            ] {
                let reply = try await server.post(
                    "/v1/chat/completions", ["messages": Self.messages, "tools": tools, "tool_choice": choice])
                let answer = reply.json["choices"]?.array?[0]
                let call = answer?["message"]?["tool_calls"]?.array?[0]["function"]
                #expect(names.contains(call?["name"]?.string ?? ""), "\(reply)")
                try expectValue(call?["arguments"]?.string)
                #expect(answer?["finish_reason"] == "tool_calls")
            }
            for (choice, field) in [
                (["type": "function", "function": ["name": "three"]] as JSONValue, "tool_choice.function.name"),
                ("always", "tool_choice"),
            ] {
                let reply = try await server.post(
                    "/v1/chat/completions", ["messages": Self.messages, "tools": tools, "tool_choice": choice])
                #expect(reply.status == 400 && reply.error("param") == field)
            }
        }
    }
}

#endif
