// Grammars of calls of tools.

public import InferGrammar
public import InferSupport
public import InferTemplates

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
        guard let form = try chatTemplate.get().callForm else {
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
            case .name: result.append(.text(tool.name))
            case .identifier: result.append(.regularExpression("[0-9A-Za-z]{9}"))
            case .object:
                result.append(
                    .json(["allOf": [["type": "object"], tool.parameters.movingReferences(to: "#/allOf/1")]]))
            case .parameters(let parameter): result += try arguments(of: tool, parameter)
            }
        }
        return result
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
        var result: [GrammarPart] = []
        for property in schema["properties"]?.object?.members ?? [] {
            let start = GrammarPart.text(parameter.opening + property.key)
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
        return .choice(texts.compactMap(\.string).map(GrammarPart.text))
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
