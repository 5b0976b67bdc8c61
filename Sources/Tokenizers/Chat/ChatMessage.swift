// One message of a conversation.

/// What someone said in a conversation.
public struct ChatMessage: Hashable, Sendable {
    /// Who speaks. The set is open: a template renders a role it does not know under its name, where its format has
    /// names.
    public struct Role: Hashable, Sendable, RawRepresentable {
        /// The name templates use.
        public let rawValue: String
        /// The role of that name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// Instructions that hold for the whole conversation.
        public static let system = Role(rawValue: "system")
        /// The person.
        public static let user = Role(rawValue: "user")
        /// The model.
        public static let assistant = Role(rawValue: "assistant")
        /// The result of a tool the model asked for.
        public static let tool = Role(rawValue: "tool")
    }

    /// Who speaks.
    public var role: Role
    /// What is said.
    public var content: String

    /// A message.
    public init(role: Role, content: String) {
        self.role = role
        self.content = content
    }
}
