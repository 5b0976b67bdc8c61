// JSON schemas built in Swift.

public import InferGrammar
public import InferSupport

/// A JSON schema: what a value in JSON may be. Built by hand, from an example, or from the text of a schema.
///
/// ```swift
/// let recipe = JSONSchema.object([
///     "name": .string(),
///     "minutes": .integer(1...600),
///     "difficulty": .oneOf("easy", "medium", "hard"),
///     "steps": .array(of: .string(), count: 1...10),
///     "note": .optional(.string()),
/// ])
/// ```
public struct JSONSchema: Hashable, Sendable {
    /// The schema in JSON.
    public let json: JSONValue

    /// A schema in JSON. It is checked when a grammar is made of it.
    public init(json: JSONValue) { self.json = json }

    /// The schema in the text of a JSON document.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` if the text is not JSON.
    public init(parsing text: String) throws(InferenceError) { json = try JSONValue(parsing: text) }

    private init(_ type: String, _ keywords: (String, JSONValue?)...) {
        var object: JSONObject = ["type": .string(type)]
        for (keyword, value) in keywords { if let value { object[keyword] = value } }
        json = .object(object)
    }

    /// The grammar of the texts of the schema's values.
    ///
    /// - Throws: ``InferenceError``, as ``Grammar/init(jsonSchema:style:)`` does.
    public func grammar(style: JSONStyle = JSONStyle()) throws(InferenceError) -> Grammar {
        try Grammar(jsonSchema: json, style: style)
    }
}

extension JSONSchema {
    /// Any value.
    public static let any = JSONSchema(json: true)
    /// `true` or `false`.
    public static let boolean = JSONSchema("boolean")
    /// `null`.
    public static let null = JSONSchema("null")

    /// A text.
    ///
    /// - Parameters:
    ///   - length: The numbers of characters that it may have; nil for any.
    ///   - pattern: A regular expression that must match somewhere, see ``Grammar/init(regularExpression:)``; nil for any text.
    ///   - format: The name of a format such as `date`; nil for any text.
    public static func string(
        length: ClosedRange<Int>? = nil, pattern: String? = nil, format: String? = nil
    ) -> JSONSchema {
        JSONSchema(
            "string", ("minLength", length.map { .integer($0.lowerBound) }),
            ("maxLength", length.map { .integer($0.upperBound) }), ("pattern", pattern.map { .string($0) }),
            ("format", format.map { .string($0) }))
    }

    /// A whole number, within `range` if there is one.
    public static func integer(_ range: ClosedRange<Int>? = nil) -> JSONSchema {
        JSONSchema(
            "integer", ("minimum", range.map { .integer($0.lowerBound) }),
            ("maximum", range.map { .integer($0.upperBound) }))
    }

    /// A number, within `range` if there is one.
    public static func number(_ range: ClosedRange<Double>? = nil) -> JSONSchema {
        JSONSchema(
            "number", ("minimum", range.map { .number($0.lowerBound) }),
            ("maximum", range.map { .number($0.upperBound) }))
    }

    /// One of these texts.
    public static func oneOf(_ texts: String...) -> JSONSchema {
        JSONSchema(json: ["enum": .array(texts.map { .string($0) })])
    }

    /// One of these values.
    public static func oneOf(_ values: [JSONValue]) -> JSONSchema { JSONSchema(json: ["enum": .array(values)]) }

    /// A value of one of these schemas.
    public static func anyOf(_ schemas: JSONSchema...) -> JSONSchema {
        JSONSchema(json: ["anyOf": .array(schemas.map(\.json))])
    }

    /// A value of the schema, or `null`.
    public static func optional(_ schema: JSONSchema) -> JSONSchema { .anyOf(schema, .null) }

    /// An array.
    ///
    /// - Parameters:
    ///   - element: The schema of each element.
    ///   - count: The numbers of elements that it may have; nil for any.
    public static func array(of element: JSONSchema, count: ClosedRange<Int>? = nil) -> JSONSchema {
        JSONSchema(
            "array", ("items", element.json), ("minItems", count.map { .integer($0.lowerBound) }),
            ("maxItems", count.map { .integer($0.upperBound) }))
    }

    /// An object with exactly these members, in this order.
    public static func object(_ members: KeyValuePairs<String, JSONSchema>) -> JSONSchema {
        object(members.map { ($0.key, $0.value) })
    }

    /// An object with exactly these members, in this order.
    package static func object(_ members: [(String, JSONSchema)]) -> JSONSchema {
        var properties = JSONObject()
        for (name, schema) in members { properties[name] = schema.json }
        return JSONSchema(
            "object", ("properties", .object(properties)), ("required", .array(members.map { .string($0.0) })),
            ("additionalProperties", false))
    }

    /// An object with members of any names.
    ///
    /// - Parameter member: The schema of each member.
    public static func dictionary(of member: JSONSchema) -> JSONSchema {
        JSONSchema("object", ("additionalProperties", member.json))
    }

    /// The schema with a description. It limits nothing; prompts can show it.
    public func described(_ text: String) -> JSONSchema {
        guard case .object(var object) = json else { return self }
        object["description"] = .string(text)
        return JSONSchema(json: .object(object))
    }
}
