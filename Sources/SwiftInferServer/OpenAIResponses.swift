// OpenAI's newer interface for conversations: /v1/responses. The server keeps no conversations.

#if Server

import Hummingbird
import InferSupport
import SwiftInfer

/// The route `/v1/responses`.
struct OpenAIResponses: Sendable {
    let state: ServerState

    func addRoutes(to router: Router<RequestInfo>) {
        router.post("/v1/responses") { request, info in try await answer(request, info) }
    }

    private func answer(_ request: Request, _ info: RequestInfo) async throws -> Response {
        let served = try state.model()
        let reader = try await request.reader(state)
        try served.checkName(reader)
        for field in ["previous_response_id", "conversation", "prompt"] where reader.has(field) {
            throw APIError.unsupported(field, "\(field) is not supported: the server keeps no conversations")
        }
        if try reader.bool("background") ?? false {
            throw APIError.unsupported("background", "background is not supported")
        }
        var fields = try GenerationFields(reader, served, owner: info.owner, limit: ["max_output_tokens"])
        fields.count = 1
        if let form = try AnswerForm(responses: reader) { fields.options.grammar = form.grammar }
        fields.options.includesControlTokens = true
        var conversation = try Self.conversation(reader)
        if let effort = try reader.reader("reasoning")?.string("effort") {
            conversation.options.variables["reasoning_effort"] = .string(effort)
        }
        let (tokens, parser) = try conversation.prompt(served, &fields, field: "input")
        let form = ResponseAnswer(served: served, request: reader.object, parser: parser)
        let answers = try Answers(fields.requests(for: [tokens]), served, state, info)
        if fields.isStream { return Response(answers, as: form, format: .events(endsWithDone: false)) }
        return Response(form.object(try await answers.all(count: 1)[0]))
    }

    /// The conversation in `instructions` and `input`: a text, or an array of messages, calls and their results.
    private static func conversation(_ reader: RequestReader) throws(APIError) -> Conversation {
        var conversation = Conversation()
        if let instructions = try reader.string("instructions") {
            conversation.messages.append(ChatMessage(role: .system, content: instructions))
        }
        switch reader.value("input") {
        case nil: throw reader.error("input", "is missing")
        case .string(let text): conversation.messages.append(ChatMessage(role: .user, content: text))
        default:
            guard let items = try reader.objects("input", limit: 4096), !items.isEmpty else {
                throw reader.error("input", "is empty")
            }
            for item in items { try add(item, to: &conversation.messages) }
        }
        conversation.options.tools = try Conversation.tools(reader)
        try conversation.readToolChoice(reader)
        return conversation
    }

    private static func add(_ item: RequestReader, to messages: inout [ChatMessage]) throws(APIError) {
        switch try item.string("type") ?? "message" {
        case "message":
            guard let role = try item.string("role") else { throw item.error("role", "is missing") }
            guard ["system", "developer", "user", "assistant"].contains(role) else {
                throw item.error("role", "is '\(role.printable)', which is unknown")
            }
            messages.append(
                ChatMessage(
                    role: role == "developer" ? .system : ChatMessage.Role(rawValue: role),
                    content: try Conversation.text("content", item)))
        case "function_call":
            guard let name = try item.string("name") else { throw item.error("name", "is missing") }
            guard let id = try item.string("call_id") else { throw item.error("call_id", "is missing") }
            let call = ToolCall(id: id, name: name, arguments: try Conversation.arguments(item))
            // Calls belong to the message before them.
            if messages.last?.role == .assistant {
                messages[messages.count - 1].toolCalls.append(call)
            } else {
                messages.append(ChatMessage(role: .assistant, content: "", toolCalls: [call]))
            }
        case "function_call_output":
            guard let id = try item.string("call_id") else { throw item.error("call_id", "is missing") }
            var message = ChatMessage(role: .tool, content: try Conversation.text("output", item))
            message.toolCallID = id
            message.name = messages.flatMap(\.toolCalls).last { $0.id == id }?.name
            messages.append(message)
        case "reasoning": break
        case let type: throw .unsupported(item.name("type"), "items of type '\(type.printable)' are not supported")
        }
    }
}

/// Writes an answer as OpenAI's responses.
struct ResponseAnswer: AnswerStream {
    /// An item of the output while it is written.
    private enum OpenItem {
        case message(id: String, text: String)
        case reasoning(id: String, text: String)
    }

    let id = UnixTime.identifier("resp_")
    let created = UnixTime.now
    let served: ServedModel
    private let parser: AnswerParser
    private var streamParser: AnswerParser
    /// Members of the request that the response repeats.
    private let repeated: JSONObject
    private var output: [JSONValue] = []
    private var openItem: OpenItem?
    private var sequence = 0

    init(served: ServedModel, request: JSONObject, parser: AnswerParser) {
        (self.served, self.parser) = (served, parser)
        streamParser = parser
        var repeated = JSONObject()
        for name in [
            "instructions", "max_output_tokens", "metadata", "parallel_tool_calls", "temperature", "tool_choice",
            "tools",
            "top_p",
        ] {
            repeated[name] = request[name] ?? Self.defaults[name] ?? .null
        }
        self.repeated = repeated
    }

    private static let defaults: JSONObject = [
        "metadata": [:], "parallel_tool_calls": true, "tool_choice": "auto", "tools": [],
    ]

    private func frame(_ output: [JSONValue], _ statistics: Statistics?) -> JSONValue {
        let isIncomplete = statistics?.openAIFinishReason == "length"
        var object: JSONObject = [
            "id": .string(id), "object": "response", "created_at": .integer(created),
            "status": statistics == nil ? "in_progress" : isIncomplete ? "incomplete" : "completed", "error": .null,
            "incomplete_details": isIncomplete ? ["reason": "max_output_tokens"] : .null, "model": .string(served.name),
            "output": .array(output), "store": false, "previous_response_id": .null,
            "text": ["format": ["type": "text"]], "truncation": "disabled",
        ]
        for member in repeated.members { object[member.key] = member.value }
        object["usage"] = statistics.map { usage($0) } ?? .null
        return .object(object)
    }

    private func usage(_ statistics: Statistics) -> JSONValue {
        [
            "input_tokens": .integer(statistics.promptTokens),
            "input_tokens_details": ["cached_tokens": .integer(statistics.reusedTokens)],
            "output_tokens": .integer(statistics.tokens.count), "output_tokens_details": ["reasoning_tokens": 0],
            "total_tokens": .integer(statistics.promptTokens + statistics.tokens.count),
        ]
    }

    func object(_ answer: Answer) -> JSONValue {
        let parsed = ParsedAnswer(answer, parser)
        var output: [JSONValue] = []
        if !parsed.thinking.isEmpty { output.append(Self.reasoning(UnixTime.identifier("rs_"), parsed.thinking)) }
        if !parsed.text.isEmpty || parsed.calls.isEmpty {
            output.append(Self.message(UnixTime.identifier("msg_"), parsed.text, "completed"))
        }
        output += parsed.calls.map { Self.call($0, UnixTime.identifier("fc_")) }
        return frame(output, answer.statistics)
    }

    private static func part(_ text: String) -> JSONValue {
        ["type": "output_text", "text": .string(text), "annotations": []]
    }

    private static func message(_ id: String, _ text: String?, _ status: JSONValue) -> JSONValue {
        [
            "id": .string(id), "type": "message", "status": status, "role": "assistant",
            "content": .array(text.map { [part($0)] } ?? []),
        ]
    }

    private static func reasoning(_ id: String, _ text: String) -> JSONValue {
        [
            "id": .string(id), "type": "reasoning", "summary": [],
            "content": [["type": "reasoning_text", "text": .string(text)]],
        ]
    }

    private static func call(_ call: ToolCall, _ id: String) -> JSONValue {
        [
            "id": .string(id), "type": "function_call", "status": "completed", "call_id": .string(call.id),
            "name": .string(call.name), "arguments": .string(JSONValue.object(call.arguments).description),
        ]
    }

    // MARK: Streaming

    private mutating func event(_ type: String, _ members: JSONObject) -> StreamPiece {
        var object: JSONObject = ["type": .string(type), "sequence_number": .integer(sequence)]
        for member in members.members { object[member.key] = member.value }
        sequence += 1
        return .data(.object(object), event: type)
    }

    mutating func begin() -> [StreamPiece] {
        let response = frame([], nil)
        return [
            event("response.created", ["response": response]), event("response.in_progress", ["response": response]),
        ]
    }

    mutating func pieces(for answerEvent: AnswerEvent) -> [StreamPiece] {
        switch answerEvent {
        case .progress(_, let evaluated, let total): return [.comment("prompt \(evaluated)/\(total)")]
        case .text(_, let text, _): return pieces(for: streamParser.consume(text))
        case .finished(_, let statistics, _):
            var pieces = pieces(for: streamParser.finish())
            if output.isEmpty, openItem == nil { pieces += open(isReasoning: false) }
            pieces += closeItem()
            let type = statistics.openAIFinishReason == "length" ? "response.incomplete" : "response.completed"
            pieces.append(event(type, ["response": frame(output, statistics)]))
            return pieces
        case .failed, .pause: return []
        }
    }

    func failure(_ error: APIError) -> StreamPiece {
        .data(
            [
                "type": "error", "sequence_number": .integer(sequence), "code": error.code.map { .string($0) } ?? .null,
                "message": .string(error.message), "param": error.field.map { .string($0) } ?? .null,
            ], event: "error")
    }

    private mutating func pieces(for parts: [AnswerPart]) -> [StreamPiece] {
        var pieces: [StreamPiece] = []
        for part in parts {
            switch part {
            case .text(let text): pieces += add(text, isReasoning: false)
            case .thinking(let text): pieces += add(text, isReasoning: true)
            case .toolCall(let call): pieces += closeItem() + add(call)
            }
        }
        return pieces
    }

    private mutating func add(_ text: String, isReasoning: Bool) -> [StreamPiece] {
        var pieces: [StreamPiece] = []
        switch openItem {
        case .message where !isReasoning: break
        case .reasoning where isReasoning: break
        default: pieces = closeItem() + open(isReasoning: isReasoning)
        }
        let id: String
        switch openItem {
        case .message(let open, let sofar):
            id = open
            openItem = .message(id: open, text: sofar + text)
        case .reasoning(let open, let sofar):
            id = open
            openItem = .reasoning(id: open, text: sofar + text)
        case nil: return pieces
        }
        pieces.append(
            event(
                isReasoning ? "response.reasoning_text.delta" : "response.output_text.delta",
                [
                    "item_id": .string(id), "output_index": .integer(output.count), "content_index": 0,
                    "delta": .string(text),
                ]))
        return pieces
    }

    private mutating func open(isReasoning: Bool) -> [StreamPiece] {
        let index = JSONValue.integer(output.count)
        if isReasoning {
            let id = UnixTime.identifier("rs_")
            openItem = .reasoning(id: id, text: "")
            return [
                event(
                    "response.output_item.added",
                    [
                        "output_index": index,
                        "item": ["id": .string(id), "type": "reasoning", "summary": [], "content": []],
                    ])
            ]
        }
        let id = UnixTime.identifier("msg_")
        openItem = .message(id: id, text: "")
        return [
            event(
                "response.output_item.added",
                ["output_index": index, "item": Self.message(id, nil, "in_progress")]),
            event(
                "response.content_part.added",
                ["item_id": .string(id), "output_index": index, "content_index": 0, "part": Self.part("")]),
        ]
    }

    private mutating func closeItem() -> [StreamPiece] {
        let index = JSONValue.integer(output.count)
        defer { openItem = nil }
        switch openItem {
        case nil: return []
        case .message(let id, let text):
            let item = Self.message(id, text, "completed")
            output.append(item)
            let place: JSONObject = ["item_id": .string(id), "output_index": index, "content_index": 0]
            var done = place
            done["text"] = .string(text)
            var part = place
            part["part"] = Self.part(text)
            return [
                event("response.output_text.done", done), event("response.content_part.done", part),
                event("response.output_item.done", ["output_index": index, "item": item]),
            ]
        case .reasoning(let id, let text):
            let item = Self.reasoning(id, text)
            output.append(item)
            return [
                event(
                    "response.reasoning_text.done",
                    ["item_id": .string(id), "output_index": index, "content_index": 0, "text": .string(text)]),
                event("response.output_item.done", ["output_index": index, "item": item]),
            ]
        }
    }

    private mutating func add(_ call: ToolCall) -> [StreamPiece] {
        let id = UnixTime.identifier("fc_")
        let index = JSONValue.integer(output.count)
        let item = Self.call(call, id)
        output.append(item)
        let arguments = item["arguments"] ?? "{}"
        var begun = item.object ?? JSONObject()
        begun["status"] = "in_progress"
        begun["arguments"] = ""
        return [
            event("response.output_item.added", ["output_index": index, "item": .object(begun)]),
            event(
                "response.function_call_arguments.delta",
                ["item_id": .string(id), "output_index": index, "delta": arguments]),
            event(
                "response.function_call_arguments.done",
                ["item_id": .string(id), "output_index": index, "arguments": arguments]),
            event("response.output_item.done", ["output_index": index, "item": item]),
        ]
    }
}

#endif
