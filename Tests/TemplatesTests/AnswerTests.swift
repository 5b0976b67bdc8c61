// Thoughts and tool calls read back out of answers, as each family writes them.

import Foundation
import InferSupport
import InferTemplates
import Testing

@Suite struct AnswerTests {
    private static let tools = [
        ToolDefinition(
            name: "read_file", description: "Read a file.",
            parameters: [
                "type": "object",
                "properties": ["path": ["type": "string"], "lines": ["type": "integer"], "text": ["type": "string"]],
            ]),
        ToolDefinition(name: "list-files", description: "List.", parameters: ["type": "object", "properties": [:]]),
    ]

    private static func source(_ family: String) throws -> String {
        try String(contentsOf: Samples.folder.appendingPathComponent("Families/\(family).jinja"), encoding: .utf8)
    }

    private static func render(_ source: String, _ messages: [ChatMessage], beginsTurn: Bool) throws -> String {
        try Samples.render(
            source,
            [
                "messages": .array(messages.map(\.json)), "tools": .array(tools.map(\.json)),
                "add_generation_prompt": .bool(beginsTurn),
            ], marks: ["bos_token": "<s>", "eos_token": "</s>"]
        ).string
    }

    /// The parts of an answer that arrives in pieces of the sizes.
    private static func parse(
        _ answer: String, _ source: String, prompt: String, sizes: [Int]
    ) -> (message: ChatMessage, parts: [AnswerPart]) {
        var parser = AnswerParser(templateSource: source, prompt: prompt, tools: tools)
        var parts: [AnswerPart] = []
        var rest = answer.unicodeScalars[...]
        var turn = 0
        while !rest.isEmpty {
            parts += parser.consume(String(rest.prefix(sizes[turn % sizes.count])))
            rest = rest.dropFirst(sizes[turn % sizes.count])
            turn += 1
        }
        parts += parser.finish()
        return (parser.message, parts)
    }

    /// The text of an answer with these properties, without the mark that ends the model's turn.
    private static func answer(_ source: String, _ message: ChatMessage) throws -> (prompt: String, answer: String) {
        let question = ChatMessage(role: .user, content: "Read the file")
        let prompt = try render(source, [question], beginsTurn: true)
        let whole = try render(source, [question, message], beginsTurn: false)
        var answer = whole
        if whole.hasPrefix(prompt) {
            answer = String(whole.dropFirst(prompt.count))
        } else {
            // Templates begin a turn with an open thought, and write an earlier turn without.
            let common = zip(prompt.unicodeScalars, whole.unicodeScalars).prefix { $0 == $1 }.count
            answer = String(String.UnicodeScalarView(whole.unicodeScalars.dropFirst(common)))
        }
        for end in [
            "<|im_end|>\n", "<|eot_id|>", "</s>", "<｜end▁of▁sentence｜>", "<turn|>\n", "<|end_of_text|>\n", "[e~[\n",
            "<|im_end|>", "\n<SPECIAL_12>\n",
        ] where answer.hasSuffix(end) {
            answer.removeLast(end.count)
            break
        }
        return (prompt, answer)
    }

    private static let arguments: [JSONObject] = [
        ["path": "src/naïve \"q\".swift", "lines": 20],
        ["path": "</tool_call>", "text": "a\n\n  b </parameter> <|\"|\n{\"c\": [1, \"]\"]}"],
        ["path": "20", "lines": -1, "deep": ["a": [1, 2.5, nil, true], "b": [:], "c": []]],
        ["text": ""],
        [:],
    ]

    /// Families, and the calls that a turn of them can have.
    @Test(arguments: [
        ("hermes", 2), ("qwen-coder", 2), ("llama3", 1), ("mistral", 2), ("glm", 2), ("deepseek", 2),
        ("deepseek-r1", 2),
        ("gemma4", 2), ("granite", 2), ("harmony", 1), ("lfm2", 2), ("nemotron", 2), ("minimax", 2), ("kimi", 2),
    ])
    func whatTheTemplateWritesIsReadAgain(family: String, callCount: Int) throws {
        let source = try Self.source(family)
        for arguments in Self.arguments {
            // A mark of the family in a value cannot be told from the mark.
            if family == "gemma4" && arguments["text"]?.string?.contains("<|\"|") == true { continue }
            var calls = [ToolCall(id: "call00001", name: "read_file", arguments: arguments)]
            if callCount > 1 { calls.append(ToolCall(id: "call00002", name: "list-files", arguments: [:])) }
            let message = ChatMessage(role: .assistant, content: "", toolCalls: calls)
            let (prompt, answer) = try Self.answer(source, message)
            for sizes in [[1], [3, 1, 7], [100_000], [2]] {
                let (parsed, parts) = Self.parse(answer, source, prompt: prompt, sizes: sizes)
                // Gemma's template sorts the keys.
                func sorted(_ calls: [ToolCall]) -> [String] {
                    calls.map { $0.name + $0.arguments.members.map { "\($0.key)=\($0.value)" }.sorted().joined() }
                }
                #expect(sorted(parsed.toolCalls) == sorted(calls), "\(family): \(answer.debugDescription)")
                #expect(parsed.content == "", "\(family): \(answer.debugDescription)")
                #expect(parts.count { if case .toolCall = $0 { true } else { false } } == calls.count)
                #expect(Set(parsed.toolCalls.map(\.id)).count == calls.count)
            }
        }
    }

    @Test(arguments: [
        "hermes", "mistral", "deepseek-r1", "glm", "gemma4", "harmony", "lfm2", "nemotron", "minimax",
    ])
    func thoughtsAreReadAgain(family: String) throws {
        let source = try Self.source(family)
        let message = ChatMessage(role: .assistant, content: "It is\n\n 4 < 5.", thinking: "2 + 2\n\nis <4")
        let (prompt, answer) = try Self.answer(source, message)
        for sizes in [[1], [3, 1, 7], [100_000]] {
            let (parsed, parts) = Self.parse(answer, source, prompt: prompt, sizes: sizes)
            #expect(parsed.thinking == message.thinking, "\(family): \(answer.debugDescription)")
            #expect(parsed.content == message.content, "\(family): \(answer.debugDescription)")
            // Parts of one kind follow each other: the thought first.
            let kinds = parts.map { if case .thinking = $0 { 0 } else { 1 } }
            #expect(kinds == kinds.sorted())
        }
    }

    @Test func textAfterACallAndBrokenCallsAreNotLost() throws {
        let hermes = try Self.source("hermes")
        for (answer, content, calls) in [
            (
                "Let me see.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>\nDone.",
                "Let me see.\nDone.", 1
            ),
            ("<tool_call>\nnot JSON\n</tool_call> x", "<tool_call>\nnot JSON\n</tool_call> x", 0),
            ("<tool_call>\n{\"name\": \"f\"", "<tool_call>\n{\"name\": \"f\"", 0),
            ("<tool_call>\n{\"name\": \"f\", \"arguments\": {}}", "", 1),
            ("a <tool", "a <tool", 0), ("a < b\n\n", "a < b\n\n", 0), ("", "", 0),
            ("<think>\n\n</think>\n\nYes", "Yes", 0),
        ] {
            for sizes in [[1], [4], [1000]] {
                let (message, _) = Self.parse(answer, hermes, prompt: "", sizes: sizes)
                #expect(message.content == content, "\(answer.debugDescription)")
                #expect(message.toolCalls.count == calls, "\(answer.debugDescription)")
            }
        }
    }

    @Test func otherSpellingsOfFamilies() throws {
        for (template, answer, name, arguments) in [
            (
                "[TOOL_CALLS]", "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {\"a\": 1}}]", "f",
                ["a": 1] as JSONObject
            ),
            ("[TOOL_CALLS]", "[TOOL_CALLS]f[ARGS]{\"a\": \"[ARGS]{\"}", "f", ["a": "[ARGS]{"]),
            ("<|python_tag|>", "<|python_tag|>brave_search.call(query=\"a b\")", "brave_search", ["query": "a b"]),
            ("<|python_tag|>", "{\"name\": \"f\", \"parameters\": {\"a\": \"}\"}}", "f", ["a": "}"]),
            ("<function= </function>", "<function=f>{\"a\": 1}</function>", "f", ["a": 1]),
            (
                "<tool_call> <parameter=", "<function=f>\n<parameter=a>\nx\n</parameter>\n</function>\n</tool_call>",
                "f", ["a": "x"]
            ),
            (
                "<｜DSML｜",
                "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"f\">\n<｜DSML｜parameter name=\"a\" string=\"true\">1</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>",
                "f", ["a": "1"]
            ),
            (
                "<|channel|><|message|>", "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{\"a\":1}",
                "f", ["a": 1]
            ),
            (
                "<|START_ACTION|>",
                "<|START_ACTION|>[\n{\"tool_call_id\": \"0\", \"tool_name\": \"f\", \"parameters\": {\"a\": 1}}\n]<|END_ACTION|>",
                "f", ["a": 1]
            ),
            ("<|tools_prefix|>", "<|tools_prefix|>[{\"f\": {\"a\": 1}}]<|tools_suffix|>", "f", ["a": 1]),
            (
                "<|tool_call_start|>",
                "<|tool_call_start|>[f(a='it\\'s', b=[1, {\"k\": None}], c=True)]<|tool_call_end|>", "f",
                ["a": "it's", "b": [1, ["k": nil]], "c": true]
            ),
        ] {
            for sizes in [[1], [1000]] {
                let (message, _) = Self.parse(answer, template, prompt: "", sizes: sizes)
                #expect(message.toolCalls.map(\.name) == [name], "\(answer)")
                #expect(message.toolCalls.first?.arguments == arguments, "\(answer)")
                #expect(message.content == "", "\(answer)")
            }
        }
    }

    @Test func textOfUnknownFamiliesIsText() throws {
        let (message, parts) = Self.parse("a <tool_call> {} <think>", "{{ messages }}", prompt: "", sizes: [1])
        #expect(message.content == "a <tool_call> {} <think>")
        #expect(parts.count > 1)
    }

    @Test func jsonOfLlamaThatIsNoCallIsText() throws {
        let llama = try Self.source("llama3")
        for answer in [
            "{\"a\": 1, \"b\": 2} is JSON", "{ not JSON", "{\"name\": 1}", "Text {\"name\": \"f\", \"parameters\": {}}",
        ] {
            let (message, _) = Self.parse(answer, llama, prompt: "", sizes: [1])
            #expect(message.content == answer)
            #expect(message.toolCalls.isEmpty)
        }
    }
}

@Suite struct FamilyTests {
    @Test("each family's template has the text that Jinja2 gives") func families() throws {
        for value in try Samples.lines("families.jsonl") {
            let template = try #require(value["template"]?.string)
            let text = try Samples.render(template, try #require(value["input"]?.object))
            #expect(text.string == value["text"]?.string, "\(value["name"]?.string ?? "")")
        }
    }

    @Test("what a person writes is input in every family") func contents() throws {
        for value in try Samples.lines("families.jsonl") {
            guard let input = value["input"]?.object, let template = value["template"]?.string else { continue }
            let text = try Samples.render(template, input)
            for message in input["messages"]?.array ?? [] {
                guard let content = message["content"]?.string, !content.isEmpty else { continue }
                let bytes = Array(content.drop { $0.isWhitespace }.utf8).prefix { $0 != 0x0A }
                for start in text.bytes.indices where text.bytes[start...].starts(with: bytes) {
                    let range = start..<start + bytes.count
                    // A role of the same spelling is the template's.
                    #expect(
                        text.inputRanges.contains { $0.lowerBound <= start && $0.upperBound >= range.upperBound }
                            || bytes.count < 5, "\(content) in \(value["name"]?.string ?? "")")
                }
            }
        }
    }
}
