// The messages of a conversation, the tools that a model can call, and its calls.

public import InferSupport

/// One message of a conversation.
public struct ChatMessage: Hashable, Sendable {
    /// The speaker. The set is open: formats that write role names write unknown roles by their name.
    public struct Role: Hashable, Sendable, RawRepresentable {
        /// The name that templates use.
        public let rawValue: String
        /// The role with that name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// Instructions for the whole conversation.
        public static let system = Role(rawValue: "system")
        /// The person.
        public static let user = Role(rawValue: "user")
        /// The model.
        public static let assistant = Role(rawValue: "assistant")
        /// The result of a tool that the model called.
        public static let tool = Role(rawValue: "tool")
    }

    /// The speaker.
    public var role: Role
    /// The text.
    public var content: String
    /// What the model thought before it answered, without the marks around it. Most templates leave out earlier thoughts.
    public var thinking: String?
    /// The tools that the model called, in order.
    public var toolCalls: [ToolCall]
    /// The call that a tool's result belongs to.
    public var toolCallID: String?
    /// The tool whose result the message is.
    public var name: String?

    /// A message.
    public init(role: Role, content: String, thinking: String? = nil, toolCalls: [ToolCall] = []) {
        self.role = role
        self.content = content
        self.thinking = thinking
        self.toolCalls = toolCalls
    }

    /// The result of a call that the model made.
    public init(resultOf call: ToolCall, content: String) {
        self.init(role: .tool, content: content)
        toolCallID = call.id
        name = call.name
    }

    /// The message as templates read it.
    package var json: JSONValue {
        var object: JSONObject = ["role": .string(role.rawValue), "content": .string(content)]
        if let thinking {
            // Families differ in the name.
            object["reasoning_content"] = .string(thinking)
            object["thinking"] = .string(thinking)
        }
        if !toolCalls.isEmpty { object["tool_calls"] = .array(toolCalls.map(\.json)) }
        if let toolCallID { object["tool_call_id"] = .string(toolCallID) }
        if let name { object["name"] = .string(name) }
        return .object(object)
    }
}

/// A call of a tool by the model.
public struct ToolCall: Hashable, Sendable {
    /// What tells the calls of a conversation apart. Some templates demand nine letters or digits.
    public var id: String
    /// The name of the tool.
    public var name: String
    /// The arguments: an object whose keys are the tool's parameters.
    public var arguments: JSONObject

    /// A call.
    public init(id: String, name: String, arguments: JSONObject) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }

    /// The call as templates read it.
    package var json: JSONValue {
        [
            "id": .string(id), "type": "function",
            "function": ["name": .string(name), "arguments": .object(arguments)],
        ]
    }
}

/// A tool that the model can call.
public struct ToolDefinition: Hashable, Sendable {
    /// The name of the tool.
    public var name: String
    /// What the tool does, for the model.
    public var description: String
    /// The parameters: a JSON schema of type `object`.
    public var parameters: JSONValue

    /// A tool.
    public init(name: String, description: String, parameters: JSONValue) {
        self.name = name
        self.description = description
        self.parameters = parameters
    }

    /// The tool as templates read it.
    package var json: JSONValue {
        [
            "type": "function",
            "function": [
                "name": .string(name), "description": .string(description), "parameters": parameters,
            ],
        ]
    }
}

/// How a conversation is rendered.
public struct ChatOptions: Hashable, Sendable {
    /// The tools that the model can call.
    public var tools: [ToolDefinition] = []
    /// Whether the text ends with the beginning of the model's turn.
    public var addsGenerationPrompt = true
    /// Whether the answer is to begin with its text, for answers of a certain form. Then `enable_thinking` is false unless
    /// ``variables`` say otherwise, and a thought that the template begins is ended at once.
    public var skipsThinking = false
    /// Further variables of the template, such as `enable_thinking`. Their strings cannot spell control tokens.
    public var variables = JSONObject()
    /// The date that the template prints, if it prints one; nil for the present.
    public var date: TemplateDate?

    /// No tools; the model's turn is begun.
    public init(tools: [ToolDefinition] = [], variables: JSONObject = JSONObject()) {
        self.tools = tools
        self.variables = variables
    }
}
