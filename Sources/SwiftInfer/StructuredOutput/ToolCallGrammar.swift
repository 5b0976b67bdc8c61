// Grammars of calls of tools.

public import InferGrammar
public import InferSupport
public import InferTemplates
import Synchronization

extension Model {
    /// The grammar of answers that are a call of one of `tools`, with arguments that its schema allows, in the form in which the model's
    /// template writes calls: in JSON, or argument by argument, as Qwen3-Coder and GLM do.
    ///
    /// The conversation should be rendered with ``ChatOptions/skipsThinking``, because the answer begins with the call.
    ///
    /// - Throws: ``InferenceError``: `unsupportedTemplate` if the model has no template or writes calls in another form;
    ///   `invalidArgument` if there is no tool, or for a schema that ``Grammar/init(jsonSchema:style:)`` refuses or that this form cannot be
    ///   held to.
    public func toolCallGrammar(for tools: [ToolDefinition]) throws(InferenceError) -> Grammar {
        let template = try chatTemplate.get()
        let form = callForm.withLock { known in
            let form = known ?? template.callForm
            known = form
            return form
        }
        guard let form else {
            throw InferenceError(
                .unsupportedTemplate,
                "a call of a tool cannot be forced: the model's template writes none, or in a form for which there is no grammar"
            )
        }
        guard !tools.isEmpty else {
            throw InferenceError(.invalidArgument, "a call is to be forced, but there is no tool")
        }
        var calls: [GrammarPart] = []
        for tool in tools { calls.append(.sequence(try form.parts(for: tool))) }
        var style = JSONStyle()
        style.allowsUndeclaredProperties = false
        return try Grammar(.choice(calls), style: style)
    }
}

extension CallForm {
    /// The parts of a call of `tool`.
    fileprivate func parts(for tool: ToolDefinition) throws(InferenceError) -> [GrammarPart] {
        var result: [GrammarPart] = []
        for part in parts {
            switch part {
            case .text(let text): result.append(.text(text))
            case .name: result.append(.text(try written(tool.name, after: result.last)))
            case .identifier: result.append(.regularExpression("[0-9A-Za-z]{9}"))
            case .object:
                result.append(
                    .json(["allOf": [["type": "object"], tool.parameters.movingReferences(to: "#/allOf/1")]]))
            case .parameters(let parameter): result += try arguments(of: tool, parameter)
            }
        }
        return result
    }

    /// The name of a tool as it is written after `part`. A name in JSON is between quotation marks.
    private func written(_ name: String, after part: GrammarPart?) throws(InferenceError) -> String {
        if case .text(let before)? = part, before.hasSuffix("\""), parts.contains(.object) {
            return String(JSONValue.string(name).description.dropFirst().dropLast())
        }
        return try plain(name, "the tool")
    }

    /// `text`, if it cannot be taken for a mark of the form where it is written as it is.
    private func plain(_ text: String, _ what: String) throws(InferenceError) -> String {
        guard !text.isEmpty, !text.contains(where: { "<>\"".contains($0) || $0.isNewline }) else {
            throw InferenceError(
                .invalidArgument,
                "\(what) \(text.printable): the model writes such names as they are, and could not read this one")
        }
        return text
    }

    /// The arguments one after the other, in the order of the schema's properties.
    private func arguments(of tool: ToolDefinition, _ parameter: Parameter) throws(InferenceError) -> [GrammarPart] {
        let known = [
            "type", "properties", "required", "additionalProperties", "$defs", "definitions", "$schema", "title",
            "description",
        ]
        let schema = tool.parameters.object ?? JSONObject()
        if let member = schema.members.first(where: { !known.contains($0.key) }) {
            throw InferenceError(
                .invalidArgument,
                "the tool \(tool.name.printable): the model writes arguments one by one, which cannot be held to \(member.key.printable)"
            )
        }
        let required = schema["required"]?.array?.compactMap(\.string) ?? []
        let properties = schema["properties"]?.object ?? JSONObject()
        if let missing = required.first(where: { properties[$0] == nil }) {
            throw InferenceError(
                .invalidArgument,
                "the tool \(tool.name.printable) requires \(missing.printable), which is none of its properties")
        }
        var result: [GrammarPart] = []
        for property in properties.members {
            let key = try plain(property.key, "the tool \(tool.name.printable) with the property")
            let start = GrammarPart.text(parameter.opening + key)
            let value: [GrammarPart] =
                if let text = try text(of: property, tool) {
                    [.text(parameter.beforeText), text]
                } else {
                    [
                        .text(parameter.beforeJSON),
                        .json([
                            "allOf": [property.value.movingReferences(to: "#/$defs/tool")],
                            "$defs": ["tool": tool.parameters],
                        ]),
                    ]
                }
            let argument = GrammarPart.sequence([start] + value + [.text(parameter.closing)])
            result.append(required.contains(property.key) ? argument : .optional(argument))
        }
        return result
    }

    /// What the value of a property can be that is written as it is; nil if it is written in JSON.
    private func text(of property: JSONObject.Member, _ tool: ToolDefinition) throws(InferenceError) -> GrammarPart? {
        guard let schema = property.value.object, schema["type"]?.string == "string" else { return nil }
        let known = ["type", "enum", "const", "title", "description", "default", "examples"]
        if let member = schema.members.first(where: { !known.contains($0.key) }) {
            throw InferenceError(
                .invalidArgument,
                "the tool \(tool.name.printable), \(property.key.printable): the model writes strings as they are, which cannot be held to "
                    + member.key.printable)
        }
        let texts = schema["const"].map { [$0] } ?? schema["enum"]?.array
        guard let texts else { return .textWithout(marks) }
        // A text with a mark could not be read back.
        return .choice(
            texts.compactMap(\.string).filter { text in !marks.contains(where: text.contains) }.map(GrammarPart.text))
    }
}

extension JSONValue {
    /// The schema with references that still point to the same schemas when it stands at `path` of another one.
    fileprivate func movingReferences(to path: String) -> JSONValue {
        switch self {
        case .array(let elements): return .array(elements.map { $0.movingReferences(to: path) })
        case .object(let object):
            var result = JSONObject()
            for member in object.members {
                switch (member.key, member.value) {
                case ("$ref", .string(let reference)) where reference.hasPrefix("#"):
                    result[member.key] = .string(path + reference.dropFirst())
                // A reference in a value is none.
                case ("const", _), ("enum", _): result[member.key] = member.value
                default: result[member.key] = member.value.movingReferences(to: path)
                }
            }
            return .object(result)
        default: return self
        }
    }
}
