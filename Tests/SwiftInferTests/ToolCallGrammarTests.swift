// Grammars of tool calls, in the form that a template shows.

import InferTemplates
import SwiftInfer
import TestSupport
import Testing

@Suite struct ToolCallGrammarTests {
    /// The end of a template that writes the first call of a message with these texts.
    private static func template(_ marks: String = "", _ call: String) -> String {
        "{% for message in messages %}{% if message.tool_calls %}" + call
            + "{% else %}{{ message.content }}{% endif %}{% endfor %}{# \(marks) #}"
    }

    private static let name = "{{ message.tool_calls[0].function.name }}"
    private static let object = "{{ message.tool_calls[0].function.arguments | tojson }}"
    private static let identifier = "{{ message.tool_calls[0].id }}"

    /// A loop over the arguments.
    private static func each(_ argument: String) -> String {
        "{% for key, value in message.tool_calls[0].function.arguments.items() %}" + argument + "{% endfor %}"
    }
    private static let value = "{{ value if value is string else value | tojson }}"

    static let templates: [(name: String, source: String, example: String)] = [
        (
            "hermes",
            template("", "<tool_call>\n{\"name\": \"\(name)\", \"arguments\": \(object)}\n</tool_call><|im_end|>\n"),
            #"<tool_call>\n{"name": "add", "arguments": {"a":1,"b":2,"unit":"kg"}}\n</tool_call>"#
        ),
        (
            "list",
            template(
                "[TOOL_CALLS]",
                #"[TOOL_CALLS][{"name": "\#(name)", "arguments": \#(object), "id": "\#(identifier)"}]</s>"#),
            #"[TOOL_CALLS][{"name": "add", "arguments": {"a":1,"b":2,"unit":"kg"}, "id": "012abcXYZ"}]"#
        ),
        (
            "name and JSON", template("[TOOL_CALLS]", "[TOOL_CALLS]\(name)[CALL_ID]\(identifier)[ARGS]\(object)</s>"),
            #"[TOOL_CALLS]add[CALL_ID]012abcXYZ[ARGS]{"a":1,"b":2,"unit":"kg"}"#
        ),
        (
            "bare JSON", template("<|start_header_id|>", #"{"name": "\#(name)", "parameters": \#(object)}<|eot_id|>"#),
            #"{"name": "add", "parameters": {"a":1,"b":2,"unit":"kg"}}"#
        ),
        (
            "channels",
            template("<|channel|>", " to=functions.\(name)<|channel|>commentary json<|message|>\(object)<|call|>"),
            #" to=functions.add<|channel|>commentary json<|message|>{"a":1,"b":2,"unit":"kg"}"#
        ),
        (
            "sections",
            template(
                "",
                "<|tool_calls_section_begin|><|tool_call_begin|>functions.\(name):0<|tool_call_argument_begin|>\(object)"
                    + "<|tool_call_end|><|tool_calls_section_end|>"),
            #"<|tool_calls_section_begin|><|tool_call_begin|>functions.add:0<|tool_call_argument_begin|>"#
                + #"{"a":1,"b":2,"unit":"kg"}<|tool_call_end|><|tool_calls_section_end|>"#
        ),
        (
            "functions",
            template(
                "",
                "<tool_call>\n<function=\(name)>\n" + each("<parameter={{ key }}>\n\(value)\n</parameter>\n")
                    + "</function>\n</tool_call><|im_end|>"),
            "<tool_call>\n<function=add>\n<parameter=a>\n1\n</parameter>\n<parameter=b>\n2\n</parameter>\n<parameter=unit>\nkg\n"
                + "</parameter>\n</function>\n</tool_call>"
        ),
        (
            "keys and values",
            template(
                "",
                "<tool_call>\(name)" + each("<arg_key>{{ key }}</arg_key><arg_value>\(value)</arg_value>")
                    + "</tool_call>"),
            "<tool_call>add<arg_key>a</arg_key><arg_value>1</arg_value><arg_key>b</arg_key><arg_value>2</arg_value>"
                + "<arg_key>unit</arg_key><arg_value>kg</arg_value></tool_call>"
        ),
        (
            "invocations",
            template(
                "",
                "<minimax:tool_call>\n<invoke name=\"\(name)\">\n"
                    + each("<parameter name=\"{{ key }}\">\(value)</parameter>\n")
                    + "</invoke>\n</minimax:tool_call>"),
            "<minimax:tool_call>\n<invoke name=\"add\">\n<parameter name=\"a\">1</parameter>\n<parameter name=\"b\">2</parameter>\n"
                + "<parameter name=\"unit\">kg</parameter>\n</invoke>\n</minimax:tool_call>"
        ),
    ]

    private static let digit = "#/$defs/digit"
    static let tools = [
        ToolDefinition(
            name: "add", description: "",
            parameters: [
                "type": "object", "$defs": ["digit": ["type": "integer", "minimum": 0, "maximum": 9]],
                "properties": [
                    "a": ["$ref": .string(digit)], "b": ["$ref": .string(digit)],
                    "unit": ["type": "string", "enum": ["kg", "m"]],
                ],
                "required": ["a", "b", "unit"],
            ]),
        ToolDefinition(name: "stop", description: "", parameters: ["type": "object", "properties": [:]]),
    ]

    private func model(_ template: String) throws -> Model {
        var options = Model.Options(threads: 1)
        options.chatTemplate = .jinja(template)
        return try Model(contentsOf: Fixture.path("tiny-llama-f32"), options: options)
    }

    @Test(arguments: templates.indices) func callsAreForced(index: Int) async throws {
        let (_, source, text) = Self.templates[index]
        let example = text.replacing(#"\n"#, with: "\n")
        let model = try model(source)
        let messages = [ChatMessage(role: .user, content: "1 + 2?")]
        let chat = ChatOptions(tools: Self.tools)
        let grammar = try model.toolCallGrammar(for: Self.tools)
        #expect(grammar.accepts(example))
        for change in [("add", "sub"), ("kg", "lb"), ("1", "x"), ("\"b\"", "\"c\""), ("<", "")]
        where example.contains(change.0) {
            #expect(!grammar.accepts(example.replacing(change.0, with: change.1)), "\(change)")
        }
        for count in 1...2 {
            var generation = GenerationOptions()
            generation.grammar = try model.toolCallGrammar(for: Array(Self.tools.prefix(count)))
            let answer = try await model.makeSession(.plain).respond(
                to: .chat(messages, options: chat), options: generation)
            #expect(generation.grammar?.accepts(answer.text) == true, "\(answer.text)")
            var parser = try model.answerParser(for: messages, options: chat)
            let parts = parser.consume(answer.text) + parser.finish()
            guard case .toolCall(let call)? = parts.first, parts.count == 1 else {
                Issue.record("\(answer.text): \(parts)")
                continue
            }
            #expect(Self.tools.prefix(count).map(\.name).contains(call.name))
            if call.name == "add" { #expect(call.arguments.members.map(\.key) == ["a", "b", "unit"]) }
        }
    }

    @Test func stringsAreWrittenAsTheyAre() throws {
        let source = try #require(Self.templates.first { $0.name == "functions" }).source
        let parameters: JSONValue = [
            "type": "object",
            "properties": ["code": ["type": "string"], "lines": ["type": "array", "items": ["type": "integer"]]],
            "required": ["code"],
        ]
        let tool = ToolDefinition(name: "write", description: "", parameters: parameters)
        let grammar = try model(source).toolCallGrammar(for: [tool])
        func call(_ code: String, _ lines: String? = nil) -> String {
            "<tool_call>\n<function=write>\n<parameter=code>\n\(code)\n</parameter>\n"
                + (lines.map { "<parameter=lines>\n\($0)\n</parameter>\n" } ?? "") + "</function>\n</tool_call>"
        }
        for code in ["", "if a < b {\n\t\"é\"\n}\n", "</para", "<p>数</p>"] {
            #expect(grammar.accepts(call(code)) && grammar.accepts(call(code, "[1,2]")), "\(code)")
        }
        for code in ["</parameter>", "a</parameter", "<parameter=lines>", "</function>", "</tool_call>"] {
            #expect(!grammar.accepts(call(code)), "\(code)")
        }
        #expect(!grammar.accepts(call("", "1")) && !grammar.accepts(call("", "\"1\"")))
        let odd: [(name: String, schema: JSONValue, message: String)] = [
            ("a<b", ["type": "object"], "could not read"), ("", ["type": "object"], "could not read"),
            ("f", ["type": "object", "properties": ["a>": ["type": "string"]]], "could not read"),
            ("f", ["type": "object", "required": ["x"]], "requires x"), ("f", ["anyOf": []], "cannot be held"),
            (
                "f",
                [
                    "type": "object", "properties": ["a": ["enum": ["</parameter>"], "type": "string"]],
                    "required": ["a"],
                ], "no text"
            ),
        ]
        for (name, schema, message) in odd {
            let tool = ToolDefinition(name: name, description: "", parameters: schema)
            expectRefusal(.invalidArgument, message) { try model(source).toolCallGrammar(for: [tool]) }
        }
        // A name in JSON has escapes.
        let json = try #require(Self.templates.first).source
        let quoted = ToolDefinition(name: "a\"<b", description: "", parameters: ["type": "object", "properties": [:]])
        #expect(
            try model(json).toolCallGrammar(for: [quoted]).accepts(
                "<tool_call>\n{\"name\": \"a\\\"<b\", \"arguments\": {}}\n</tool_call>"))
        for property: JSONValue in [["type": "string", "pattern": "a"], ["type": "string", "maxLength": 3]] {
            let tool = ToolDefinition(
                name: "write", description: "", parameters: ["type": "object", "properties": ["code": property]])
            expectRefusal(.invalidArgument, "write", "code", "cannot be held") {
                try model(source).toolCallGrammar(for: [tool])
            }
        }
    }

    @Test func callsInOtherFormsAreRefused() throws {
        let tool = ToolDefinition(name: "f", description: "", parameters: ["type": "object"])
        for template in [
            "{{ messages[0].content }}", "{{ '<tool_call>' }}",
            Self.template(
                "<|tool_call>call:",
                "<|tool_call>call:\(Self.name){{ '{' }}" + Self.each("{{ key }}:{{ value }},") + "}<tool_call|>"),
        ] {
            expectRefusal(.unsupportedTemplate, "forced") { try model(template).toolCallGrammar(for: [tool]) }
        }
    }
}
