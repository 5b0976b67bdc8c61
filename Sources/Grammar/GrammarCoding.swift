// Grammars by their sources, in JSON and other codings.

import InferSupport

extension Grammar: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case jsonSchema, style, regularExpression, gbnf, composition
    }

    /// Decodes a grammar: `{"jsonSchema": "…"}` with the text of a schema, `{"regularExpression": "…"}` or `{"gbnf": "…"}`; also what
    /// ``encode(to:)`` has written of a grammar of tool calls.
    ///
    /// - Throws: `DecodingError` for anything else, ``InferenceError`` with `invalidArgument` for a source that is refused.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(onlyKeyedBy: CodingKeys.self)
        let kinds: [CodingKeys] = [.jsonSchema, .regularExpression, .gbnf, .composition]
        let sources = kinds.filter(values.contains)
        guard let kind = sources.first, sources.count == 1 else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath, debugDescription: "a grammar has one source, not \(sources.count)"))
        }
        let text = try values.decode(String.self, forKey: kind)
        let style = try values.decodeIfPresent(JSONStyle.self, forKey: .style) ?? JSONStyle()
        switch kind {
        case .regularExpression: try self.init(regularExpression: text)
        case .gbnf: try self.init(gbnf: text)
        case .composition:
            guard let part = GrammarPart(try JSONValue(parsing: text)) else {
                throw DecodingError.dataCorruptedError(
                    forKey: kind, in: values, debugDescription: "these are no parts of a grammar")
            }
            try self.init(part, style: style)
        default: try self.init(jsonSchema: try JSONValue(parsing: text), style: style)
        }
    }

    /// Encodes the source. A schema is the text of its JSON, which keeps the order of its properties.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        switch source {
        case .regularExpression(let text): try values.encode(text, forKey: .regularExpression)
        case .gbnf(let text): try values.encode(text, forKey: .gbnf)
        case .jsonSchema(let schema, let style):
            try values.encode(schema.description, forKey: .jsonSchema)
            try values.encode(style, forKey: .style)
        case .composition(let part, let style):
            try values.encode(part.jsonValue.description, forKey: .composition)
            try values.encode(style, forKey: .style)
        }
    }
}

extension JSONStyle: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable { case maximumIndentation, allowsUndeclaredProperties }

    /// Decodes a style. Without `maximumIndentation` there is no white space.
    public init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(onlyKeyedBy: CodingKeys.self)
        let indentation = try values.decodeIfPresent(Int.self, forKey: .maximumIndentation)
        whiteSpace = indentation.map { .flexible(maximumIndentation: $0) } ?? .none
        try values.decode(.allowsUndeclaredProperties, into: &allowsUndeclaredProperties)
    }

    /// Encodes the style.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        if case .flexible(let indentation) = whiteSpace { try values.encode(indentation, forKey: .maximumIndentation) }
        try values.encode(allowsUndeclaredProperties, forKey: .allowsUndeclaredProperties)
    }
}
