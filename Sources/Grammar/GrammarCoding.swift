// Grammars by their sources, in JSON and other codings.

import InferSupport

extension Grammar: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case jsonSchema, style, before, after, regularExpression, gbnf
    }

    /// Decodes a grammar: `{"jsonSchema": "…"}` with the text of a schema, `{"regularExpression": "…"}` or `{"gbnf": "…"}`.
    ///
    /// - Throws: `DecodingError` for anything else, ``InferenceError`` with `invalidArgument` for a source that is refused.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(onlyKeyedBy: CodingKeys.self)
        let texts = [CodingKeys.jsonSchema, .regularExpression, .gbnf].filter(values.contains)
        guard let kind = texts.first, texts.count == 1 else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a grammar has one source, not \(texts.count)"))
        }
        let text = try values.decode(String.self, forKey: kind)
        switch kind {
        case .regularExpression: try self.init(regularExpression: text)
        case .gbnf: try self.init(gbnf: text)
        default:
            try self.init(
                jsonSchema: try JSONValue(parsing: text),
                style: try values.decodeIfPresent(JSONStyle.self, forKey: .style) ?? JSONStyle(),
                before: try values.decodeIfPresent(String.self, forKey: .before) ?? "",
                after: try values.decodeIfPresent(String.self, forKey: .after) ?? "", limits: GrammarLimits())
        }
    }

    /// Encodes the source. A schema is the text of its JSON, which keeps the order of its properties.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        switch source {
        case .regularExpression(let text): try values.encode(text, forKey: .regularExpression)
        case .gbnf(let text): try values.encode(text, forKey: .gbnf)
        case .jsonSchema(let schema, let style, let before, let after):
            try values.encode(schema.description, forKey: .jsonSchema)
            try values.encode(style, forKey: .style)
            if !before.isEmpty { try values.encode(before, forKey: .before) }
            if !after.isEmpty { try values.encode(after, forKey: .after) }
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
