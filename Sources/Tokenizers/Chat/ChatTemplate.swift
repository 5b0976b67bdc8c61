// Conversations as the text a model was trained on.

public import InferGGUF
public import InferSupport

/// Renders a conversation in the format of one model.
///
/// Model files carry a Jinja program for this (`tokenizer.chat_template`). It is not executed: the format is recognised
/// from the marks in it, together with the few things in which models of one format differ, and rendered by hand. Dates
/// that a template would insert are the template's own default or left out, so that the same messages give the same
/// text.
public struct ChatTemplate: Sendable {
    /// The recognised format.
    public let format: ChatFormat
    /// The system message that the template inserts when the conversation has none; Harmony's always comes first.
    let defaultSystem: String?
    /// What the template puts after the marks that open the model's turn.
    let opening: String
    /// Whether the system message goes with the last user message rather than the first (Mistral).
    let systemJoinsLastTurn: Bool
    /// Whether the template dates the model's knowledge in the system message (Llama 3.1 and later).
    let datesKnowledge: Bool

    /// The template of a model, from its metadata.
    ///
    /// - Throws: ``InferenceError`` with `unsupportedTemplate` when there is none, or none that is recognised.
    public init(metadata: Metadata) throws(InferenceError) {
        guard let template = try metadata.string("tokenizer.chat_template"), !template.isEmpty else {
            throw metadata.naming(
                InferenceError(
                    .unsupportedTemplate, "the model has no chat template (key tokenizer.chat_template)"))
        }
        do throws(InferenceError) {
            try self.init(template)
        } catch {
            throw metadata.naming(error)
        }
    }

    /// Recognises a Jinja template.
    ///
    /// - Throws: ``InferenceError`` with `unsupportedTemplate` for one that is not recognised.
    public init(_ template: String) throws(InferenceError) {
        guard let format = ChatFormat(recognizing: template) else {
            throw InferenceError(
                .unsupportedTemplate,
                "the model's chat template (key tokenizer.chat_template) is not one of those recognised: "
                    + ChatFormat.names)
        }
        self.format = format
        // Templates write line breaks as they are or escaped, in quotes of either kind.
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
            // R1 opens with a thought; later models with an empty one unless asked to think.
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

    /// The text between two marks in the first place where it is a literal, that is, where no quote or brace is in it.
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
