// Conversations in the formats that are written in Swift, for files without a template.

package import InferTokenizers

/// Renders a conversation in a format that is written in Swift.
///
/// It is used for files without a template, and for formats that are chosen by name. Its parts can be taken from a template that is
/// not executed: the format and the few differences between models of one format are recognised by text in the template. Dates
/// that a template inserts are its default date or omitted.
package struct FixedChatTemplate: Sendable {
    /// The recognised format.
    package let format: ChatFormat
    /// The system message that the template inserts if the conversation has none. Harmony's is always inserted.
    let defaultSystem: String?
    /// The text that the template puts after the marks that begin the model's turn.
    let opening: String
    /// Whether the system message is put into the last user message rather than the first (Mistral).
    let systemJoinsLastTurn: Bool
    /// Whether the template writes the date of the model's knowledge into the system message (Llama 3.1 and later).
    let datesKnowledge: Bool

    /// The format of that kind, without anything that only some models of it have.
    package init(_ format: ChatFormat) {
        self.format = format
        defaultSystem = nil
        opening = ""
        systemJoinsLastTurn = false
        datesKnowledge = false
    }

    /// Recognises the format of a Jinja template; nil if it is unknown.
    package init?(recognizing template: String) {
        guard let format = ChatFormat(recognizing: template) else { return nil }
        self.format = format
        // Templates write line breaks directly or escaped.
        let source = template.replacingBytes("\\n", with: "\n")
        switch format.kind {
        case .chatML:
            defaultSystem = source.literal(between: "<|im_start|>system\n", and: "<|im_end|>")
            let thinks =
                source.containsBytes(of: "<|im_start|>assistant\n<think>\n'")
                || source.containsBytes(of: "{%- else %}\n        {{- '<think>\n' }}")
            opening = thinks ? "<think>\n" : ""
        case .deepSeekCoder:
            defaultSystem = source.literal(between: "{{'You are ", and: "'}}").map { "You are " + $0 }
            opening = ""
        case .deepSeekV3:
            defaultSystem = nil
            // R1 begins its turn with a thought. Later models begin with an empty thought unless asked to think.
            opening =
                source.containsBytes(of: "<｜Assistant｜><think>\n")
                ? "<think>\n" : source.literal(between: "if not thinking -%}{{'", and: "'}}") ?? ""
        case .granite:
            defaultSystem = source.literal(between: "g4_default_system_message = '", and: "' %}")
            opening = ""
        case .harmony:
            let identity = source.literal(between: "model_identity = \"", and: "\"")
            let cutoff = source.literal(between: "Knowledge cutoff: ", and: "\n")
            defaultSystem = identity.map { $0 + (cutoff.map { "\nKnowledge cutoff: " + $0 } ?? "") }
            opening = ""
        default:
            defaultSystem = nil
            opening = ""
        }
        systemJoinsLastTurn = source.containsBytes(of: "loop.last and system_message")
        datesKnowledge = source.containsBytes(of: "Cutting Knowledge Date: December 2023")
    }
}

extension String {
    fileprivate func replacingBytes(_ pattern: String, with replacement: String) -> String {
        var result: [UInt8] = []
        var index = utf8.startIndex
        while let match = utf8.range(of: pattern, from: index) {
            result += utf8[index..<match.lowerBound]
            result += Array(replacement.utf8)
            index = match.upperBound
        }
        result += utf8[index...]
        return String(decoding: result, as: UTF8.self)
    }

    /// The first text between `start` and `end` that is a literal, that is, not empty and without quotes or braces; nil if there
    /// is none.
    fileprivate func literal(between start: String, and end: String) -> String? {
        var index = utf8.startIndex
        while let opening = utf8.range(of: start, from: index) {
            index = opening.upperBound
            guard let closing = utf8.range(of: end, from: index) else { return nil }
            let text = String(decoding: utf8[index..<closing.lowerBound], as: UTF8.self)
            if !text.isEmpty, !text.utf8.contains(where: { "'\"{}".utf8.contains($0) }) { return text }
        }
        return nil
    }
}

// MARK: Rendering

extension FixedChatTemplate {
    /// The text of a conversation in the format of the model, without the BOS token, which encoding adds.
    ///
    /// Only the marks of the template are format text. Roles, contents and default messages are plain text.
    ///
    /// - Parameters:
    ///   - messages: The messages, oldest first.
    ///   - addGenerationPrompt: Whether to begin the model's next turn.
    package func render(_ messages: [ChatMessage], addGenerationPrompt: Bool = true) -> PromptText {
        var messages = messages
        if let defaultSystem, format.kind != .harmony, messages.first?.role != .system {
            messages.insert(ChatMessage(role: .system, content: defaultSystem), at: 0)
        }
        switch format.kind {
        case .chatML:
            return turns(messages, addGenerationPrompt, end: "<|im_end|>\n") { "<|im_start|>\($0)\n\($1)" }
        case .phi4:
            return turns(messages, addGenerationPrompt, end: "<|im_end|>") { "<|im_start|>\($0)<|im_sep|>\($1)" }
        case .phi3:
            return turns(messages, addGenerationPrompt, end: "<|end|>\n") { "\(Self.roleMark($0))\n\($1)" }
        case .zephyr:
            return turns(messages, addGenerationPrompt, end: "<|endoftext|>\n") { "\(Self.roleMark($0))\n\($1)" }
        case .granite:
            return turns(messages, addGenerationPrompt, end: "<|end_of_text|>\n") {
                "<|start_of_role|>\($0)<|end_of_role|>\($1)"
            }
        case .llama3:
            return turns(llama3(messages), addGenerationPrompt, end: "<|eot_id|>") {
                "<|start_header_id|>\($0)<|end_header_id|>\n\n\($1)"
            }
        case .llama2: return llama2(messages)
        case .mistralV1, .mistralV3, .mistralV3Tekken: return mistral(messages)
        case .mistralV7, .mistralV7Tekken: return mistralV7(messages)
        case .deepSeekCoder:
            return plain(
                messages, addGenerationPrompt, user: ("### Instruction:\n", "\n"),
                assistant: ("### Response:\n", "\n<|EOT|>\n"), system: ("", ""))
        case .deepSeekV2:
            return plain(
                messages, addGenerationPrompt, user: ("User: ", "\n\n"),
                assistant: ("Assistant: ", "<｜end▁of▁sentence｜>"), system: ("", "\n\n"), opening: "Assistant:")
        case .deepSeekV3:
            // An empty thought also precedes the answers of earlier turns. A real thought is omitted there.
            let thought = PromptText(mark: opening.utf8.elementsEqual("<think></think>".utf8) ? opening : "")
            return plain(
                messages, addGenerationPrompt, user: ("<｜User｜>", ""),
                assistant: ("<｜Assistant｜>" + thought, "<｜end▁of▁sentence｜>"), system: ("", ""),
                opening: "<｜Assistant｜>")
        case .graniteCode:
            return plain(
                messages, addGenerationPrompt, user: ("Question:\n", "\n\n"), assistant: ("Answer:\n", "\n\n"),
                system: ("System:\n", "\n\n"))
        case .gemma: return gemma(messages, addGenerationPrompt)
        case .harmony: return harmony(messages, addGenerationPrompt)
        }
    }

    /// Renders formats in which all turns have the same form and contain the role.
    private func turns(
        _ messages: [ChatMessage], _ addGenerationPrompt: Bool, end: PromptText,
        begin: (String, String) -> PromptText
    ) -> PromptText {
        var text: PromptText = ""
        for message in messages { text += begin(message.role.rawValue, message.content) + end }
        if addGenerationPrompt { text += begin("assistant", "") + PromptText(mark: opening) }
        return text
    }

    /// The mark of a role, which is one token. For an unknown role it is plain text.
    private static func roleMark(_ role: String) -> PromptText {
        let known: [ChatMessage.Role] = [.system, .user, .assistant, .tool]
        return known.contains { $0.rawValue == role } ? "<|\(mark: role)|>" : "<|\(role)|>"
    }

    /// Renders formats with a fixed text before and after the content of each role.
    private func plain(
        _ messages: [ChatMessage], _ addGenerationPrompt: Bool, user: (PromptText, PromptText),
        assistant: (PromptText, PromptText), system: (PromptText, PromptText), opening start: PromptText? = nil
    ) -> PromptText {
        var text: PromptText = ""
        for message in messages {
            let (before, after) =
                switch message.role {
                case .system: system
                case .assistant: assistant
                default: user
                }
            text += "\(before)\(message.content)\(after)"
        }
        if addGenerationPrompt { text += (start ?? assistant.0) + PromptText(mark: opening) }
        return text
    }

    /// The messages with trimmed contents. Llama 3.1 puts two dates before the system message, and adds an empty system message
    /// if there is none.
    private func llama3(_ messages: [ChatMessage]) -> [ChatMessage] {
        var messages = messages.map { ChatMessage(role: $0.role, content: $0.content.trimmed) }
        guard datesKnowledge else { return messages }
        if messages.first?.role != .system { messages.insert(ChatMessage(role: .system, content: ""), at: 0) }
        messages[0].content = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n" + messages[0].content
        return messages
    }

    private func llama2(_ messages: [ChatMessage]) -> PromptText {
        var text: PromptText = ""
        var isOpen = false
        for message in messages {
            if !isOpen, message.role != .assistant {
                text += text.bytes.isEmpty ? "[INST] " : "<s>[INST] "
                isOpen = true
            }
            switch message.role {
            case .system: text += "<<SYS>>\n\(message.content)\n<</SYS>>\n\n"
            case .assistant:
                text += " \(message.content.trimmed) </s>"
                isOpen = false
            default: text += "\(message.content.trimmed) [/INST]"
            }
        }
        return text
    }

    private func mistral(_ messages: [ChatMessage]) -> PromptText {
        let isFirst = format.kind == .mistralV1
        let leading: PromptText = isFirst ? " " : ""
        let trailing: PromptText = format.kind == .mistralV3Tekken ? "" : " "
        let lastUser = messages.lastIndex { $0.role == .user }
        let firstUser = messages.firstIndex { $0.role == .user }
        let system = messages.filter { $0.role == .system }.map { $0.content + "\n\n" }.joined()
        var text: PromptText = ""
        for (index, message) in messages.enumerated() {
            switch message.role {
            case .system: continue
            case .assistant:
                let content = format.kind == .mistralV3 ? message.content.trimmed : message.content
                text += "\(trailing)\(content)</s>"
            default:
                let takesSystem = index == (systemJoinsLastTurn ? lastUser : firstUser)
                let content = (takesSystem ? system : "") + message.content
                text += "\(leading)[INST]\(trailing)\(content)\(leading)[/INST]"
            }
        }
        return text
    }

    private func mistralV7(_ messages: [ChatMessage]) -> PromptText {
        let space: PromptText = format.kind == .mistralV7 ? " " : ""
        var text: PromptText = ""
        for message in messages {
            switch message.role {
            case .system: text += "[SYSTEM_PROMPT]\(space)\(message.content)[/SYSTEM_PROMPT]"
            case .assistant: text += "\(space)\(message.content)</s>"
            default: text += "[INST]\(space)\(message.content)[/INST]"
            }
        }
        return text
    }

    /// Gemma has no system role. The system message is put before the first user message.
    private func gemma(_ messages: [ChatMessage], _ addGenerationPrompt: Bool) -> PromptText {
        var system = ""
        var text: PromptText = ""
        for message in messages {
            switch message.role {
            case .system: system += message.content.trimmed
            case .assistant: text += "<start_of_turn>model\n\(message.content.trimmed)<end_of_turn>\n"
            default:
                let prefix = system.isEmpty ? "" : system + "\n\n"
                text += "<start_of_turn>\(message.role.rawValue)\n\(prefix)\(message.content.trimmed)<end_of_turn>\n"
                system = ""
            }
        }
        return addGenerationPrompt ? text + "<start_of_turn>model\n" : text
    }

    /// Harmony (OpenAI, gpt-oss). The system message is fixed; the caller's instructions become the developer message.
    private func harmony(_ messages: [ChatMessage], _ addGenerationPrompt: Bool) -> PromptText {
        var text: PromptText =
            "<|start|>system<|message|>\(defaultSystem ?? "You are a large language model.")"
            + "\n\nReasoning: medium\n\n# Valid channels: analysis, commentary, final. "
            + "Channel must be included for every message.<|end|>"
        for message in messages {
            switch message.role {
            case .system:
                text += "<|start|>developer<|message|># Instructions\n\n\(message.content)\n\n<|end|>"
            case .assistant:
                text += "<|start|>assistant<|channel|>final<|message|>\(finalAnswer(message.content))<|end|>"
            default: text += "<|start|>\(message.role.rawValue)<|message|>\(message.content)<|end|>"
            }
        }
        return addGenerationPrompt ? text + "<|start|>assistant" : text
    }
}

/// The text of the last final channel in `answer`, if the answer has marks of channels. Only this text stays in the conversation
/// (Harmony).
private func finalAnswer(_ answer: String) -> String {
    guard answer.utf8.starts(with: "<|channel|>".utf8) else { return answer }
    var start: String.Index?
    while let mark = answer.utf8.range(of: "<|channel|>final<|message|>", from: start) { start = mark.upperBound }
    return start.map { String(answer[$0...]) } ?? answer
}

extension String {
    /// The string without ASCII white space at both ends.
    fileprivate var trimmed: String {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        let start = utf8.firstIndex { !isSpace($0) } ?? utf8.endIndex
        let end = utf8.lastIndex { !isSpace($0) }.map { utf8.index(after: $0) } ?? start
        return String(self[start..<end])
    }
}
