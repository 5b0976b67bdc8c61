// Grammars of calls of tools.

public import InferGrammar
public import InferSupport
public import InferTemplates

extension Model {
    /// The grammar of answers that are a call of one of `tools`, with arguments that its schema allows, in the form in which the model
    /// writes calls.
    ///
    /// The conversation should be rendered with ``ChatOptions/skipsThinking``, because the answer begins with the call.
    ///
    /// - Throws: ``InferenceError``: `unsupportedTemplate` if the model has no template or writes calls in another form than JSON;
    ///   `invalidArgument` if there is no tool, or for a schema that ``Grammar/init(jsonSchema:style:)`` refuses.
    public func toolCallGrammar(for tools: [ToolDefinition]) throws(InferenceError) -> Grammar {
        guard let format = try chatTemplate.get().jsonCallFormat else {
            throw InferenceError(
                .unsupportedTemplate,
                "a call of a tool cannot be forced: the model's template does not show that calls are JSON")
        }
        guard !tools.isEmpty else {
            throw InferenceError(.invalidArgument, "a call is to be forced, but there is no tool")
        }
        var calls: [JSONValue] = []
        for (index, tool) in tools.enumerated() {
            let path = (format.isList ? "#/prefixItems/0" : "#") + "/anyOf/\(index)/properties/\(format.argumentsKey)"
            let properties: JSONObject = [
                "name": ["const": .string(tool.name)],
                format.argumentsKey: [
                    "allOf": [["type": "object"], tool.parameters.movingReferences(to: path + "/allOf/1")]
                ],
            ]
            calls.append([
                "type": "object", "properties": .object(properties),
                "required": ["name", .string(format.argumentsKey)], "additionalProperties": false,
            ])
        }
        var schema: JSONValue = ["anyOf": .array(calls)]
        if format.isList { schema = ["type": "array", "prefixItems": [schema], "items": false, "minItems": 1] }
        var style = JSONStyle()
        style.allowsUndeclaredProperties = false
        return try Grammar(
            jsonSchema: schema, style: style, before: format.opening, after: format.closing, limits: GrammarLimits())
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
