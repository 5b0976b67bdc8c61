// The turns of a conversation, and the file that keeps them.

package import InferSupport
package import SwiftInfer

/// What was said in a conversation. The model sees the system message and the latest turns.
package struct Transcript: Equatable {
    /// The system message.
    package var system: String?
    /// All messages but that, in order.
    package private(set) var messages: [ChatMessage] = []
    /// The number of first messages that the model does not see any more.
    package private(set) var forgotten = 0

    /// A conversation in which nothing was said.
    package init(system: String? = nil) { self.system = system }

    /// The messages that the model sees.
    package var visible: [ChatMessage] {
        (system.map { [ChatMessage(role: .system, content: $0)] } ?? []) + messages[forgotten...]
    }

    /// The last message, if it is an answer.
    package var lastAnswer: ChatMessage? { messages.last.flatMap { $0.role == .assistant ? $0 : nil } }

    /// Adds a message.
    package mutating func append(_ message: ChatMessage) { messages.append(message) }

    /// Takes back the last answer, so that the question can be answered again.
    ///
    /// - Returns: Whether there was one.
    package mutating func takeBackAnswer() -> Bool {
        guard lastAnswer != nil else { return false }
        messages.removeLast()
        return true
    }

    /// Takes back the last question and its answer.
    ///
    /// - Returns: The question; nil if there is none.
    package mutating func undo() -> String? {
        guard let last = messages.lastIndex(where: { $0.role == .user }) else { return nil }
        let question = messages[last].content
        messages.removeSubrange(last...)
        forgotten = min(forgotten, messages.count)
        return question
    }

    /// Forgets all turns. The system message stays.
    package mutating func clear() { (messages, forgotten) = ([], 0) }

    /// Forgets the oldest turn: a question and what follows it up to the next one.
    ///
    /// - Returns: Whether there was one before the last.
    package mutating func forgetOldestTurn() -> Bool {
        let next = messages.indices.first { $0 > forgotten && messages[$0].role == .user }
        guard let next else { return false }
        forgotten = next
        return true
    }

    /// Forgets the oldest turns if the context is full.
    ///
    /// - Parameters:
    ///   - capacity: The number of tokens that fit.
    ///   - reserve: The number of tokens that the answer needs.
    ///   - count: The number of tokens of messages.
    /// - Returns: The number of turns that are forgotten.
    package mutating func fit(
        _ capacity: Int, reserve: Int, count: ([ChatMessage]) throws -> Int
    ) rethrows -> Int {
        guard try count(visible) + reserve > capacity else { return 0 }
        var turns = 0
        // A part stays free, since the model has to read all that is left again.
        while try turns == 0 || count(visible) + reserve > capacity / 4 * 3, forgetOldestTurn() { turns += 1 }
        return turns
    }

    // MARK: The file

    /// The conversation as JSON: the form of OpenAI's interface.
    package var json: JSONValue {
        let system = system.map { [ChatMessage(role: .system, content: $0).json] } ?? []
        return ["messages": .array(system + messages.map(\.json))]
    }

    /// Reads ``json``, or a list of messages.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` for anything else.
    package init(_ json: JSONValue) throws(InferenceError) {
        guard let list = json["messages"]?.array ?? json.array else {
            throw InferenceError(.invalidArgument, "there is no list of messages")
        }
        for (index, value) in list.enumerated() {
            guard let role = value["role"]?.string, let content = value["content"]?.string else {
                throw InferenceError(.invalidArgument, "message \(index + 1) has no role or no text")
            }
            if role == "system", index == 0 {
                system = content
            } else {
                messages.append(
                    ChatMessage(
                        role: .init(rawValue: role), content: content, thinking: value["thinking"]?.string,
                        toolCalls: (value["tool_calls"]?.array ?? []).compactMap(ToolCall.init(json:))))
            }
        }
    }
}

extension ToolCall {
    /// Reads a call as ``ChatMessage/json`` has it; nil for anything else.
    fileprivate init?(json: JSONValue) {
        guard let name = json["function"]?["name"]?.string else { return nil }
        self.init(
            id: json["id"]?.string ?? "", name: name, arguments: json["function"]?["arguments"]?.object ?? JSONObject())
    }
}
