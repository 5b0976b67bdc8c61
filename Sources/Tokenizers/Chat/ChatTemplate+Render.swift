// Rendering the conversation formats.

extension ChatTemplate {
    /// The conversation as the model was trained to read it, without the BOS token, which encoding adds.
    ///
    /// Only what the template writes is the format's; roles, contents and default messages are plain.
    ///
    /// - Parameters:
    ///   - messages: The messages, oldest first.
    ///   - addGenerationPrompt: Whether to open the model's next turn.
    public func render(_ messages: [ChatMessage], addGenerationPrompt: Bool = true) -> PromptText {
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
            // An empty thought precedes the answers of earlier turns too; a real one is left out there.
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

    /// Formats in which every turn names its role and looks the same.
    private func turns(
        _ messages: [ChatMessage], _ addGenerationPrompt: Bool, end: PromptText,
        begin: (String, String) -> PromptText
    ) -> PromptText {
        var text: PromptText = ""
        for message in messages { text += begin(message.role.rawValue, message.content) + end }
        if addGenerationPrompt { text += begin("assistant", "") + PromptText(mark: opening) }
        return text
    }

    /// The mark of a role, which is one token; a role that the format does not have is no mark.
    private static func roleMark(_ role: String) -> PromptText {
        let known: [ChatMessage.Role] = [.system, .user, .assistant, .tool]
        return known.contains { $0.rawValue == role } ? "<|\(mark: role)|>" : "<|\(role)|>"
    }

    /// Formats with words or marks around the content of each role.
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

    /// Contents are trimmed. Llama 3.1 puts two dates before the system message, and has one even when none is given.
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

    /// Gemma has no system role: the message goes before the first user's.
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

    /// Harmony (OpenAI, gpt-oss): a fixed system message; the caller's instructions are the developer's.
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

/// What the model says last in `answer`, where that spells the marks of several channels: only this stays in the
/// conversation (Harmony).
private func finalAnswer(_ answer: String) -> String {
    guard answer.utf8.starts(with: "<|channel|>".utf8) else { return answer }
    var start: String.Index?
    while let mark = answer.utf8.range(of: "<|channel|>final<|message|>", from: start) { start = mark.upperBound }
    return start.map { String(answer[$0...]) } ?? answer
}

extension String {
    /// Without ASCII white space at both ends.
    fileprivate var trimmed: String {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        let start = utf8.firstIndex { !isSpace($0) } ?? utf8.endIndex
        let end = utf8.lastIndex { !isSpace($0) }.map { utf8.index(after: $0) } ?? start
        return String(self[start..<end])
    }
}
