// What was said in a conversation, and what the model still sees of it.

public import InferTemplates

/// What was said in a conversation. The model sees the instructions and the latest turns: see ``Chat``.
///
/// It is encoded in the form of OpenAI's interface: `{"messages": […]}`, the instructions as a first message of the system.
public struct Transcript: Hashable, Sendable {
    /// Instructions for the whole conversation; nil for none.
    public var instructions: String?
    /// All other messages, in order.
    public private(set) var messages: [ChatMessage] = []
    /// The number of first messages that the model does not see any more.
    public private(set) var forgottenCount = 0

    /// A conversation with these messages. A first message of the system becomes the instructions, if none are given.
    public init(instructions: String? = nil, messages: [ChatMessage] = []) {
        self.instructions = instructions
        for message in messages { append(message) }
    }

    /// The messages that the model sees: the instructions and what is not forgotten.
    public var visibleMessages: [ChatMessage] {
        (instructions.map { [ChatMessage(role: .system, content: $0)] } ?? []) + messages[forgottenCount...]
    }

    /// The last message, if it is an answer.
    public var lastAnswer: ChatMessage? { messages.last.flatMap { $0.role == .assistant ? $0 : nil } }

    /// Adds a message.
    public mutating func append(_ message: ChatMessage) {
        if message.role == .system, messages.isEmpty, instructions == nil {
            instructions = message.content
        } else {
            messages.append(message)
        }
    }

    /// Takes back the last answer, with its calls of tools, so that the question can be answered again.
    ///
    /// - Returns: Whether there was one.
    @discardableResult
    public mutating func removeLastAnswer() -> Bool {
        guard lastAnswer != nil else { return false }
        let question = messages.lastIndex { $0.role == .user }
        remove(from: question.map { $0 + 1 } ?? messages.count - 1)
        return true
    }

    /// Takes back the last question and its answer.
    ///
    /// - Returns: The question; nil if there is none.
    @discardableResult
    public mutating func removeLastTurn() -> String? {
        guard let last = messages.lastIndex(where: { $0.role == .user }) else { return nil }
        let question = messages[last].content
        remove(from: last)
        return question
    }

    /// Takes back all messages. The instructions stay.
    public mutating func removeAll() { remove(from: 0) }

    private mutating func remove(from index: Int) {
        messages.removeSubrange(index...)
        forgottenCount = min(forgottenCount, messages.count)
    }

    /// Forgets the oldest turn: a question and what follows it up to the next one. The model does not see it any more.
    ///
    /// - Returns: Whether there was one before the last.
    @discardableResult
    public mutating func forgetOldestTurn() -> Bool {
        let next = messages.indices.first { $0 > forgottenCount && messages[$0].role == .user }
        guard let next else { return false }
        forgottenCount = next
        return true
    }

    /// Forgets the oldest turns if the context is full.
    ///
    /// - Parameters:
    ///   - capacity: The number of tokens that fit.
    ///   - reserve: The number of tokens that the answer needs.
    ///   - count: The number of tokens of messages.
    /// - Returns: The number of turns that are forgotten.
    package mutating func fit<E: Error>(
        _ capacity: Int, reserve: Int, count: ([ChatMessage]) throws(E) -> Int
    ) throws(E) -> Int {
        guard try count(visibleMessages) + reserve > capacity else { return 0 }
        var turns = 0
        while forgetOldestTurn() {
            turns += 1
            // A part stays free, since the model has to read all that is left again.
            if try count(visibleMessages) + reserve <= capacity / 4 * 3 { break }
        }
        return turns
    }
}

extension Transcript: Codable {
    private enum CodingKeys: String, CodingKey { case messages, forgotten }

    /// Decodes a conversation, or a list of messages.
    public init(from decoder: any Decoder) throws {
        guard let members = try? decoder.container(keyedBy: CodingKeys.self) else {
            self.init(messages: try [ChatMessage](from: decoder))
            return
        }
        self.init(messages: try members.decode([ChatMessage].self, forKey: .messages))
        forgottenCount = try members.decodeIfPresent(Int.self, forKey: .forgotten) ?? 0
        guard (0...messages.count).contains(forgottenCount) else {
            throw DecodingError.dataCorruptedError(
                forKey: .forgotten, in: members,
                debugDescription: "\(forgottenCount) of \(messages.count) messages cannot be forgotten")
        }
    }

    /// Encodes the conversation.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        let first = instructions.map { [ChatMessage(role: .system, content: $0)] } ?? []
        try members.encode(first + messages, forKey: .messages)
        if forgottenCount > 0 { try members.encode(forgottenCount, forKey: .forgotten) }
    }
}
