// Messages and calls in the form of OpenAI's interface, which other programs read and write too.

import InferSupport

extension ChatMessage: Codable {
    private enum CodingKeys: String, CodingKey {
        case role, content, name
        case thinking = "reasoning_content", otherThinking = "thinking"
        case toolCalls = "tool_calls", toolCallID = "tool_call_id"
    }

    /// Decodes a message. A message without text must have calls.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        let calls = try members.decodeIfPresent([ToolCall].self, forKey: .toolCalls) ?? []
        self.init(
            role: Role(rawValue: try members.decode(String.self, forKey: .role)),
            content: calls.isEmpty
                ? try members.decode(String.self, forKey: .content)
                : try members.decodeIfPresent(String.self, forKey: .content) ?? "",
            thinking: try members.decodeIfPresent(String.self, forKey: .thinking)
                ?? members.decodeIfPresent(String.self, forKey: .otherThinking),
            toolCalls: calls)
        toolCallID = try members.decodeIfPresent(String.self, forKey: .toolCallID)
        name = try members.decodeIfPresent(String.self, forKey: .name)
    }

    /// Encodes the message.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(role.rawValue, forKey: .role)
        try members.encode(content, forKey: .content)
        try members.encodeIfPresent(thinking, forKey: .thinking)
        if !toolCalls.isEmpty { try members.encode(toolCalls, forKey: .toolCalls) }
        try members.encodeIfPresent(toolCallID, forKey: .toolCallID)
        try members.encodeIfPresent(name, forKey: .name)
    }
}

extension ToolCall: Codable {
    private enum CodingKeys: String, CodingKey { case id, type, function }
    private enum FunctionKeys: String, CodingKey { case name, arguments }

    /// Decodes a call. Its arguments are an object, or the text of one.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        let function = try members.nestedContainer(keyedBy: FunctionKeys.self, forKey: .function)
        var arguments = try function.decodeIfPresent(JSONValue.self, forKey: .arguments) ?? .object(JSONObject())
        if case .string(let text) = arguments { arguments = try JSONValue(parsing: text) }
        guard let object = arguments.object else {
            throw DecodingError.dataCorruptedError(
                forKey: .arguments, in: function, debugDescription: "the arguments are no object")
        }
        self.init(
            id: try members.decodeIfPresent(String.self, forKey: .id) ?? "",
            name: try function.decode(String.self, forKey: .name), arguments: object)
    }

    /// Encodes the call. Its arguments are the text of an object, which keeps their order.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(id, forKey: .id)
        try members.encode("function", forKey: .type)
        var function = members.nestedContainer(keyedBy: FunctionKeys.self, forKey: .function)
        try function.encode(name, forKey: .name)
        try function.encode(JSONValue.object(arguments).description, forKey: .arguments)
    }
}
