// The conversation formats, and how they are recognised.

/// The format in which a family of models writes a conversation, as this package knows it without a template.
public struct ChatFormat: Hashable, Sendable, CustomStringConvertible {
    enum Kind: String, CaseIterable {
        case chatML = "chatml"
        case phi4
        case llama2
        case llama3
        case mistralV1 = "mistral-v1"
        case mistralV3 = "mistral-v3"
        case mistralV3Tekken = "mistral-v3-tekken"
        case mistralV7 = "mistral-v7"
        case mistralV7Tekken = "mistral-v7-tekken"
        case deepSeekCoder = "deepseek-coder"
        case deepSeekV2 = "deepseek-v2"
        case deepSeekV3 = "deepseek-v3"
        case gemma
        case granite
        case graniteCode = "granite-code"
        case harmony
        case phi3
        case zephyr
    }

    let kind: Kind

    /// The names of all formats.
    public static let names = Kind.allCases.map(\.rawValue)

    /// Text with the marks that answers in the format can have.
    var markText: String {
        switch kind {
        case .harmony: "<|channel|><|message|>"
        case .llama3: "<|start_header_id|>"
        case .mistralV3, .mistralV3Tekken, .mistralV7, .mistralV7Tekken: "[TOOL_CALLS]"
        case .chatML: "<tool_call><think></think>"
        case .deepSeekV3: "<｜tool▁call▁begin｜><think></think>"
        case .granite: "<|tool_call|>"
        default: ""
        }
    }

    /// The format of that name; nil if there is none.
    public init?(named name: String) {
        guard let kind = Kind(rawValue: name) else { return nil }
        self.kind = kind
    }

    /// The name of the format, such as `chatml`.
    public var description: String { kind.rawValue }

    /// Recognises the format of a template by the marks in it; nil for an unknown format.
    init?(recognizing template: String) {
        func has(_ marks: String...) -> Bool { marks.allSatisfy { template.containsBytes(of: $0) } }
        // The order matters: templates of earlier formats also contain marks of later ones.
        if has("<|im_start|>") {
            if has("<end_of_utterance>") { return nil }
            kind = has("<|im_sep|>") ? .phi4 : .chatML
        } else if has("[INST]") {
            kind = Self.mistral(template)
        } else if has("<|start|>", "<|channel|>") {
            kind = .harmony
        } else if has("<|assistant|>", "<|end|>") {
            kind = .phi3
        } else if has("<|user|>", "<|endoftext|>") {
            kind = .zephyr
        } else if has("<start_of_turn>") {
            kind = .gemma
        } else if has("### Instruction:", "<|EOT|>") {
            kind = .deepSeekCoder
        } else if has("<|start_header_id|>", "<|end_header_id|>") {
            kind = .llama3
        } else if has("'Assistant: ' + message['content'] + eos_token") {
            kind = .deepSeekV2
        } else if has("<｜Assistant｜>", "<｜User｜>") {
            kind = .deepSeekV3
        } else if has("<|start_of_role|>") {
            kind = .granite
        } else if has("Question:", "Answer:", "System:") {
            kind = .graniteCode
        } else {
            return nil
        }
    }

    /// Distinguishes Mistral's versions, which differ in spaces and in the treatment of system messages, and Llama 2, which has
    /// the same marks.
    private static func mistral(_ template: String) -> Kind {
        func has(_ mark: String) -> Bool { template.containsBytes(of: mark) }
        if has("[SYSTEM_PROMPT]") { return has("[SYSTEM_PROMPT] ") ? .mistralV7 : .mistralV7Tekken }
        if has("<<SYS>>") { return .llama2 }
        if has("[AVAILABLE_TOOLS]") || has("' [INST] ' + system_message") {
            if has(" [INST]") { return .mistralV1 }
            return has("\"[INST]\"") ? .mistralV3Tekken : .mistralV3
        }
        return .llama2
    }
}

extension String {
    /// Whether the UTF-8 of this string contains the UTF-8 of `mark`. Unlike `contains`, this ignores canonical equivalence.
    func containsBytes(of mark: String) -> Bool { utf8.range(of: mark) != nil }
}

extension String.UTF8View {
    /// The first occurrence of `text`, at or after `start`.
    func range(of text: String, from start: Index? = nil) -> Range<Index>? {
        let pattern = Array(text.utf8)
        guard let first = pattern.first else { return nil }
        var index = start ?? startIndex
        while let candidate = self[index...].firstIndex(of: first) {
            if self[candidate...].starts(with: pattern) {
                return candidate..<self.index(candidate, offsetBy: pattern.count)
            }
            index = self.index(after: candidate)
        }
        return nil
    }
}
