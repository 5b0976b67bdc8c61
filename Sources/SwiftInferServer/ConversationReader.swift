// Reads conversations and tools out of requests, and divides answers into text, thoughts and calls.

#if Server

import InferSupport
import SwiftInfer

/// A conversation that the model is to continue.
struct Conversation: Sendable {
    var messages: [ChatMessage] = []
    var options = ChatOptions()
    /// The tools of which the answer must call one; nil if it need not call any.
    private var forcedTools: [ToolDefinition]?

    private static let maximumMessages = 4096
    private static let maximumTools = 256

    /// Reads `messages`, `tools` and the variables of the template, as OpenAI and Ollama write them.
    init(_ request: RequestReader) throws(APIError) {
        guard let readers = try request.objects("messages", limit: Self.maximumMessages) else {
            throw request.error("messages", "is missing")
        }
        guard !readers.isEmpty else { throw request.error("messages", "is empty") }
        for reader in readers { messages.append(try Self.message(reader)) }
        options.tools = try Self.tools(request)
        try readToolChoice(request)
        if let variables = try request.reader("chat_template_kwargs") { options.variables = variables.object }
        if let effort = try request.string("reasoning_effort") {
            options.variables["reasoning_effort"] = .string(effort)
        }
        // Ollama's switch for thoughts.
        if let thinks = request.value("think") { options.variables["enable_thinking"] = thinks }
    }

    /// An empty conversation.
    init() {}

    /// One message.
    private static func message(_ reader: RequestReader) throws(APIError) -> ChatMessage {
        guard let role = try reader.string("role") else { throw reader.error("role", "is missing") }
        guard ["system", "developer", "user", "assistant", "tool", "function"].contains(role) else {
            throw reader.error("role", "is '\(role.printable)', which is unknown")
        }
        var message = ChatMessage(
            role: role == "developer" ? .system : role == "function" ? .tool : ChatMessage.Role(rawValue: role),
            content: try text("content", reader))
        if let images = reader.value("images"), images != .array([]) {
            throw .unsupported(reader.name("images"), "the model reads only text")
        }
        message.thinking = try reader.string("reasoning_content", "thinking")
        message.toolCallID = try reader.string("tool_call_id")
        message.name = try reader.string("name", "tool_name")
        for (index, call) in (try reader.objects("tool_calls", limit: maximumTools) ?? []).enumerated() {
            guard let function = try call.reader("function") else { throw call.error("function", "is missing") }
            guard let name = try function.string("name") else { throw function.error("name", "is missing") }
            message.toolCalls.append(
                ToolCall(
                    id: try call.string("id") ?? "call\(index)", name: name, arguments: try arguments(function)))
        }
        return message
    }

    /// The text of `field`: a string, or parts of type `text`.
    static func text(_ field: String, _ reader: RequestReader) throws(APIError) -> String {
        guard let value = reader.value(field) else { return "" }
        if case .string(let text) = value { return text }
        guard case .array = value, let parts = try reader.objects(field, limit: 4096) else {
            throw reader.error(field, "must be a string or an array of parts")
        }
        var result = ""
        for part in parts {
            let type = try part.string("type") ?? "text"
            guard ["text", "input_text", "output_text", "refusal"].contains(type) else {
                throw .unsupported(part.name("type"), "parts of type '\(type.printable)' are not supported")
            }
            result += try part.string("text", "refusal") ?? ""
        }
        return result
    }

    /// The arguments of a call: an object, or its text.
    static func arguments(_ function: RequestReader) throws(APIError) -> JSONObject {
        switch function.value("arguments") {
        case nil: return JSONObject()
        case .object(let object): return object
        case .string(let text):
            if text.isEmpty { return JSONObject() }
            guard case .object(let object)? = try? JSONValue(parsing: text) else {
                throw function.error("arguments", "must be the text of a JSON object")
            }
            return object
        default: throw function.error("arguments", "must be a JSON object, or its text")
        }
    }

    /// The tools, in the shape of OpenAI's chat or of its responses.
    static func tools(_ request: RequestReader) throws(APIError) -> [ToolDefinition] {
        var tools: [ToolDefinition] = []
        for tool in try request.objects("tools", limit: maximumTools) ?? [] {
            let type = try tool.string("type") ?? "function"
            guard type == "function" else {
                throw .unsupported(tool.name("type"), "tools of type '\(type.printable)' are not supported")
            }
            let function = try tool.reader("function") ?? tool
            guard let name = try function.string("name") else { throw function.error("name", "is missing") }
            tools.append(
                ToolDefinition(
                    name: name, description: try function.string("description") ?? "",
                    parameters: .object(
                        try function.reader("parameters")?.object ?? ["type": "object", "properties": [:]])))
        }
        return tools
    }

    /// Leaves out the tools if the client wants no call, or notes those of which the answer must call one: any (`"required"`), or a named
    /// one, in the shape of OpenAI's chat or of its responses.
    mutating func readToolChoice(_ request: RequestReader) throws(APIError) {
        switch request.value("tool_choice") {
        case nil, "auto": break
        case "none": options.tools = []
        case "required", "any":
            guard !options.tools.isEmpty else {
                throw request.error("tool_choice", "demands a call, but there are no tools")
            }
            forcedTools = options.tools
        case .object(let object):
            let choice = RequestReader(object, at: request.name("tool_choice") + ".")
            let function = try choice.reader("function") ?? choice
            guard let name = try function.string("name") else { throw function.error("name", "is missing") }
            guard let tool = options.tools.first(where: { $0.name == name }) else {
                throw function.error("name", "is '\(name.printable)', which is none of the tools")
            }
            forcedTools = [tool]
        default:
            throw request.error(
                "tool_choice", "must be \"auto\", \"none\", \"required\" or the name of a function in an object")
        }
    }

    /// The prompt, and the parser of the answer. If the answer must call a tool, `fields` get the grammar of such answers.
    func prompt(
        _ served: ServedModel, _ fields: inout GenerationFields, field: String = "messages"
    ) throws(APIError) -> (tokens: [TokenID], parser: AnswerParser) {
        if let forcedTools {
            do throws(InferenceError) {
                fields.options.grammar = try served.model.toolCallGrammar(for: forcedTools)
            } catch {
                throw .invalid("tool_choice", "tool_choice: \(error.message)", code: error.code.description)
            }
        }
        var options = options
        options.skipsThinking = fields.options.grammar != nil
        let tokens = try fields.tokens(of: .chat(messages, options: options), served, field: field)
        // An answer of a certain form is text, also if it looks like a call.
        if fields.options.grammar != nil, forcedTools == nil { return (tokens, AnswerParser()) }
        do throws(InferenceError) {
            return (tokens, try served.model.answerParser(for: messages, options: options))
        } catch {
            throw APIError(error, field: field)
        }
    }
}

/// An answer to a conversation, divided into its parts.
struct ParsedAnswer: Sendable {
    var text = ""
    var thinking = ""
    var calls: [ToolCall] = []

    /// Adds `parts`.
    mutating func add(_ parts: [AnswerPart]) {
        for part in parts {
            switch part {
            case .text(let piece): text += piece
            case .thinking(let piece): thinking += piece
            case .toolCall(let call): calls.append(call)
            }
        }
    }

    init() {}

    /// The parts of a whole answer.
    init(_ answer: Answer, _ parser: AnswerParser) {
        var parser = parser
        add(parser.consume(answer.text))
        add(parser.finish())
    }
}

#endif
