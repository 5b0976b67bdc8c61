// The fields of a request that fix the form of the answer: a JSON schema, a grammar, a regular expression, or a call of a tool.

#if Server

import InferSupport
import SwiftInfer

/// The form that an answer must have.
struct AnswerForm: Sendable {
    /// What the answer may be.
    let grammar: Grammar

    /// An object with any members.
    private static let anyObject: JSONValue = ["type": "object"]

    /// The form that the fields of all interfaces ask for: `response_format` of OpenAI, `grammar` and `json_schema` of llama.cpp, and the
    /// `guided_…` fields of vLLM; nil without any.
    ///
    /// - Throws: ``APIError`` that names the field, also if two of them ask for forms.
    init?(_ request: RequestReader) throws(APIError) {
        var found: (field: String, grammar: Grammar)?
        func add(_ field: String, _ grammar: Grammar) throws(APIError) {
            if let found {
                throw .invalid(field, "\(field) asks for another form of the answer than \(found.field) does; give one")
            }
            found = (field, grammar)
        }
        if let format = try request.reader("response_format"),
            let grammar = try Self.grammar(format: format, schema: format.reader("json_schema") ?? format)
        {
            try add(request.name("response_format"), grammar)
        }
        for field in ["grammar", "json_schema", "guided_json", "guided_regex", "guided_choice"] {
            guard let value = request.value(field), value != "", value != .array([]) else { continue }
            // llama.cpp's clients send an empty schema for none.
            if field == "json_schema", value == .object(JSONObject()) { continue }
            try add(request.name(field), Self.grammar(request, field, value))
        }
        if request.has("guided_grammar") {
            throw .unsupported(request.name("guided_grammar"), "guided_grammar is not supported; grammar, in GBNF, is")
        }
        guard let found else { return nil }
        grammar = found.grammar
    }

    /// The form that the field `format` of Ollama asks for: `"json"`, or a schema; nil without it.
    init?(ollama request: RequestReader) throws(APIError) {
        switch request.value("format") {
        case nil, "": return nil
        case "json": grammar = try Self.grammar(schema: Self.anyObject, request.name("format"))
        case .object(let schema): grammar = try Self.grammar(schema: .object(schema), request.name("format"))
        default: throw request.error("format", "must be \"json\" or a JSON schema")
        }
    }

    /// The form that `text.format` of OpenAI's responses asks for; nil for text.
    init?(responses request: RequestReader) throws(APIError) {
        guard let format = try request.reader("text")?.reader("format"),
            let grammar = try Self.grammar(format: format, schema: format)
        else { return nil }
        self.grammar = grammar
    }

    private static func grammar(
        _ request: RequestReader, _ field: String, _ value: JSONValue
    ) throws(APIError) -> Grammar {
        switch field {
        case "json_schema", "guided_json": return try grammar(schema: value, request.name(field))
        case "guided_choice":
            let choices = try request.strings(field, limit: 10_000) ?? []
            let expression = choices.map(\.escapedForRegularExpressions).joined(separator: "|")
            return try made(request.name(field)) { () throws(InferenceError) in
                try Grammar(regularExpression: expression)
            }
        default:
            let text = try request.string(field) ?? ""
            return try made(request.name(field)) { () throws(InferenceError) in
                try field == "grammar" ? Grammar(gbnf: text) : Grammar(regularExpression: text)
            }
        }
    }

    /// The grammar of a format as OpenAI writes it; nil for text.
    ///
    /// - Parameters:
    ///   - format: The format.
    ///   - schema: What has the member `schema` if the type is `json_schema`.
    private static func grammar(format: RequestReader, schema: RequestReader) throws(APIError) -> Grammar? {
        switch try format.string("type") {
        case nil, "text": return nil
        // llama.cpp also reads a schema here.
        case "json_object": return try grammar(schema: format.value("schema") ?? anyObject, format.name("schema"))
        case "json_schema":
            guard let value = schema.value("schema") else { throw schema.error("schema", "is missing") }
            return try grammar(schema: value, schema.name("schema"))
        case let type?:
            throw .unsupported(
                format.name("type"),
                "\(format.name("type")) is '\(type.printable)', but must be text, json_object or json_schema")
        }
    }

    /// The grammar of a JSON schema. Objects have the properties that it names, as people expect: none besides.
    private static func grammar(schema: JSONValue, _ field: String) throws(APIError) -> Grammar {
        try made(field) { () throws(InferenceError) in
            try Grammar(jsonSchema: schema, style: JSONStyle(allowsUndeclaredProperties: false))
        }
    }

    private static func made(
        _ field: String, _ make: () throws(InferenceError) -> Grammar
    ) throws(APIError) -> Grammar {
        do throws(InferenceError) { return try make() } catch { throw .invalid(field, "\(field): \(error.message)") }
    }
}

extension String {
    /// A regular expression that only this text matches.
    fileprivate var escapedForRegularExpressions: String {
        var result = ""
        for scalar in unicodeScalars {
            if "\\^$.*+?()[]{}|/".unicodeScalars.contains(scalar) { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}

#endif
