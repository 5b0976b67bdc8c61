// `swiftinfer render-template`: what a chat template makes of a conversation.

import ArgumentParser
import InferCatalogue
import InferGGUF
import InferSupport
import InferTemplates
import SwiftInfer

struct RenderTemplateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render-template",
        abstract: "Print what a chat template makes of a conversation.",
        discussion: """
            Standard input is a JSON object with the variables of the template: messages, tools, add_generation_prompt \
            and so on. The rendering is printed without a line break at its end. For a model, bos_token and eos_token \
            come from its vocabulary unless they are given.
            """
    )

    @Argument(
        help: ArgumentHelp("A template (FILE.jinja), or a model: a .gguf file or a name."), completion: .model)
    var template: String

    @Option(
        help: ArgumentHelp("What strftime_now prints, such as 2026-11-29T12:00:00 (default: now).", valueName: "date"),
        transform: { try TemplateDate(parsing: $0) })
    var date: TemplateDate?

    func run() throws {
        let (source, marks) = try loaded()
        let text = try InputText.standardInput()
        guard case .object(let variables) = try JSONValue(parsing: text) else {
            throw InferenceError(.invalidArgument, "standard input is not a JSON object")
        }
        let given = marks.filter { variables[$0.key] == nil }
        let rendering = try Template(source).render(variables, marks: given, now: date ?? .now)
        Output.standardOutput(rendering.bytes)
    }

    /// The template, and the special tokens of the model that it comes from.
    private func loaded() throws -> (source: String, marks: [String: String]) {
        if ["jinja", "jinja2", "j2", "txt"].contains(template.split(separator: ".").last.map(String.init) ?? "") {
            return (String(decoding: try InputText.file(template), as: UTF8.self), [:])
        }
        let metadata = try GGUFFile(path: try Catalogue.path(of: template)).metadata
        guard let source = try metadata.string("tokenizer.chat_template"), !source.isEmpty else {
            throw InferenceError(
                .unsupportedTemplate, "the model has no chat template (key tokenizer.chat_template)")
        }
        return (source, try Tokenizer(metadata: metadata).templateMarks)
    }
}
