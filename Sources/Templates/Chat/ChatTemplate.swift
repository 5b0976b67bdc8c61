// Rendering a conversation as the text a model was trained on.

public import InferGGUF
public import InferSupport
public import InferTokenizers

/// Renders conversations for one model.
///
/// Model files contain a program for this in the language of Jinja2 (`tokenizer.chat_template`), which is executed. For files
/// without one, and for formats that are chosen by name, the format is written in Swift.
public struct ChatTemplate: Sendable {
    /// A template to use instead of the model's.
    public enum Source: Hashable, Sendable {
        /// A format of this package.
        case format(ChatFormat)
        /// A template in the language of Jinja2.
        case jinja(String)
    }

    private enum Program: Sendable {
        case jinja(Template, withTools: Template?)
        case fixed(FixedChatTemplate)
    }

    private let program: Program
    private let marks: [String: String]
    /// The known format that the template has marks of; nil if it has those of none.
    public let format: ChatFormat?
    /// The text of the template; nil for a format that is written in Swift.
    package let source: String?

    /// Text with the marks that answers can have.
    var markText: String { source ?? format?.markText ?? "" }

    /// The template of a model.
    ///
    /// - Throws: ``InferenceError`` with `unsupportedTemplate`: the template cannot be parsed, or there is none and the vocabulary
    ///   has no tokens of a known format.
    public init(metadata: Metadata, tokenizer: Tokenizer) throws(InferenceError) {
        func named(_ key: String) throws(InferenceError) -> String? {
            guard let source = try metadata.string(key), !source.isEmpty else { return nil }
            return source
        }
        do throws(InferenceError) {
            if let source = try named("tokenizer.chat_template") {
                // Files with several templates have one for conversations with tools.
                try self.init(source, withTools: named("tokenizer.chat_template.tool_use"), tokenizer)
            } else if let format = ChatFormat(recognizing: tokenizer.markText) {
                self.init(format, tokenizer)
            } else {
                throw InferenceError(
                    .unsupportedTemplate, "the model has no chat template (key tokenizer.chat_template)")
            }
        } catch {
            throw metadata.naming(error)
        }
    }

    /// A template that does not come from the model's file.
    ///
    /// - Throws: ``InferenceError`` with `unsupportedTemplate` if it cannot be parsed.
    public init(_ source: Source, tokenizer: Tokenizer) throws(InferenceError) {
        switch source {
        case .format(let format): self.init(format, tokenizer)
        case .jinja(let text): try self.init(text, withTools: nil, tokenizer)
        }
    }

    private init(_ source: String, withTools toolSource: String?, _ tokenizer: Tokenizer) throws(InferenceError) {
        let withTools = try toolSource.map { (source) throws(InferenceError) in try Template(source) }
        program = .jinja(try Template(source), withTools: withTools)
        format = ChatFormat(recognizing: source)
        marks = tokenizer.templateMarks
        self.source = source
    }

    private init(_ format: ChatFormat, _ tokenizer: Tokenizer) {
        program = .fixed(FixedChatTemplate(format))
        self.format = format
        marks = [:]
        source = nil
    }

    /// The text of a conversation.
    ///
    /// Only what the template itself writes is text of the format, and can spell control tokens. Everything that comes from
    /// messages, tools and variables is plain text, also where the template cuts or changes it. The exceptions are the roles that
    /// all templates know.
    ///
    /// - Parameters:
    ///   - messages: The messages, oldest first.
    ///   - options: Tools and further variables.
    /// - Throws: ``InferenceError``: `refusedByTemplate` with the template's own words, or `unsupportedTemplate` with the line of
    ///   the template and what is wrong there.
    public func render(
        _ messages: [ChatMessage], options: ChatOptions = ChatOptions()
    ) throws(InferenceError) -> PromptText {
        var text = try renderAll(messages, options)
        if options.skipsThinking, options.addsGenerationPrompt {
            text += PromptText(mark: AnswerSyntax(template: markText).textOpening(after: text.bytes))
        }
        return text
    }

    private func renderAll(_ messages: [ChatMessage], _ options: ChatOptions) throws(InferenceError) -> PromptText {
        switch program {
        case .fixed(let template):
            return template.render(messages, addGenerationPrompt: options.addsGenerationPrompt)
        case .jinja(let template, let withTools):
            var variables = options.variables
            if options.skipsThinking, variables["enable_thinking"] == nil { variables["enable_thinking"] = false }
            variables["messages"] = .array(messages.map(\.json))
            variables["tools"] = options.tools.isEmpty ? .null : .array(options.tools.map(\.json))
            variables["documents"] = variables["documents"] ?? .null
            variables["add_generation_prompt"] = .bool(options.addsGenerationPrompt)
            let chosen = options.tools.isEmpty ? template : withTools ?? template
            let text = try chosen.render(variables, marks: marks, now: options.date ?? .now)
            return PromptText(text.bytes, plain: text.inputRanges)
        }
    }
}

extension Tokenizer {
    /// The special tokens that templates know as variables, by their names there.
    package var templateMarks: [String: String] {
        var marks: [String: String] = [:]
        for (name, token) in [
            ("bos_token", bos), ("eos_token", eos), ("unk_token", unknown), ("pad_token", padding),
        ] {
            if let text = token.flatMap(text(of:)) { marks[name] = text }
        }
        return marks
    }

    /// The spellings of all tokens that are marks, for recognising a format.
    fileprivate var markText: String {
        var text = ""
        for token in 0..<TokenID(count) where isControl(token) || type(of: token) == .userDefined {
            if let mark = self.text(of: token) { text += mark + "\n" }
        }
        return text
    }
}
