// One JSON schema: its keywords, read and checked.

import InferSupport

/// The types of JSON values. Numbers are whole numbers and others.
struct JSONTypes: OptionSet, Hashable, Sendable {
    let rawValue: UInt8

    static let null = JSONTypes(rawValue: 1)
    static let boolean = JSONTypes(rawValue: 2)
    static let integer = JSONTypes(rawValue: 4)
    static let fraction = JSONTypes(rawValue: 8)
    static let string = JSONTypes(rawValue: 16)
    static let array = JSONTypes(rawValue: 32)
    static let object = JSONTypes(rawValue: 64)

    static let number: JSONTypes = [.integer, .fraction]
    static let all: JSONTypes = [.null, .boolean, .number, .string, .array, .object]

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The type with a name of JSON Schema; nil for unknown names.
    init?(name: String) {
        switch name {
        case "null": self = .null
        case "boolean": self = .boolean
        case "integer": self = .integer
        case "number": self = .number
        case "string": self = .string
        case "array": self = .array
        case "object": self = .object
        default: return nil
        }
    }

    /// The type of a value.
    init(of value: JSONValue) {
        switch value {
        case .null: self = .null
        case .bool: self = .boolean
        case .integer: self = .integer
        case .number: self = DecimalNumber(value)?.isInteger ?? false ? .integer : .fraction
        case .string: self = .string
        case .array: self = .array
        case .object: self = .object
        }
    }
}

/// What a schema says of strings.
struct StringRange: Hashable, Sendable {
    /// The minimum number of characters.
    var minimum = 0
    /// The maximum number of characters.
    var maximum: Int?
    /// Regular expressions of which each must match somewhere.
    var patterns: Set<String> = []
    /// The formats that strings must have.
    var formats: Set<String> = []

    /// Whether all strings are allowed.
    var isUnlimited: Bool { minimum == 0 && maximum == nil && patterns.isEmpty && formats.isEmpty }

    /// Allows only what `other` allows, too.
    mutating func formIntersection(_ other: StringRange) {
        minimum = max(minimum, other.minimum)
        maximum = [maximum, other.maximum].compactMap { $0 }.min()
        patterns.formUnion(other.patterns)
        formats.formUnion(other.formats)
    }
}

/// The number of a schema within its document.
typealias SchemaID = Int

/// The keywords of a schema. Schemas within it are numbers.
struct Schema: Sendable {
    /// Where it stands in the document: a JSON pointer behind `#`.
    let path: String
    var types = JSONTypes.all
    /// The values of `enum` or `const`.
    var values: [JSONValue]?
    var numbers = NumberRange()
    var strings = StringRange()
    /// In the order of the document.
    var properties: [(name: String, schema: SchemaID)] = []
    var required: [String] = []
    var additionalProperties: SchemaID?
    var prefixItems: [SchemaID] = []
    var items: SchemaID?
    var minimumItems = 0
    var maximumItems: Int?
    /// Schemas that hold, too: those of `$ref` and `allOf`.
    var conjuncts: [SchemaID] = []
    /// Lists of schemas of each of which at least one holds: those of `anyOf` and `oneOf`.
    var choices: [[SchemaID]] = []
    /// The schemas of `oneOf`.
    var exclusiveChoice: [SchemaID] = []
    /// Whether no value is allowed.
    var isFalse = false

    init(path: String) { self.path = path }
}

// MARK: Reading

extension Schema {
    /// Reads the schema that stands at `path`.
    ///
    /// - Throws: `invalidArgument` for unknown and unsupported keywords, and for wrong values.
    init(_ value: JSONValue, path: String, in document: inout SchemaDocument) throws(InferenceError) {
        self.init(path: path)
        switch value {
        case .bool(true): break
        case .bool(false): (types, isFalse) = ([], true)
        case .object(let object):
            for member in object.members { try read(member.key, member.value, in: &document) }
        default: throw fault("a schema is an object, true or false")
        }
    }

    private mutating func read(
        _ keyword: String, _ value: JSONValue, in document: inout SchemaDocument
    ) throws(InferenceError) {
        switch keyword {
        case "type": types = try readTypes(value)
        case "enum", "const": try readValues(keyword, value)
        case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf": try readNumber(keyword, value)
        case "minLength": strings.minimum = try count(keyword, value)
        case "maxLength": strings.maximum = try count(keyword, value)
        case "pattern": strings.patterns = [try string(keyword, value)]
        case "format":
            let name = try string(keyword, value)
            guard StringFormats.pattern(name) != nil else {
                throw fault(
                    "the format \"\(name.printable)\" is not supported; supported are "
                        + StringFormats.names.joined(separator: ", "))
            }
            strings.formats = [name]
        case "minItems": minimumItems = try count(keyword, value)
        case "maxItems": maximumItems = try count(keyword, value)
        case "properties":
            guard let object = value.object else { throw fault("the value of \"properties\" is no object") }
            for member in object.members {
                let schema = try document.add(member.value, at: path.appending(keyword, member.key))
                properties.append((member.key, schema))
            }
        case "required":
            for name in try list(keyword, value) { required.append(try string(keyword, name)) }
        case "additionalProperties": additionalProperties = try document.add(value, at: path.appending(keyword))
        case "items":
            guard value.array == nil else { throw fault("an array as \"items\" is not supported; use \"prefixItems\"") }
            items = try document.add(value, at: path.appending(keyword))
        case "prefixItems": prefixItems = try schemas(keyword, value, in: &document)
        case "allOf": conjuncts += try schemas(keyword, value, in: &document)
        case "anyOf": choices.append(try schemas(keyword, value, in: &document))
        case "oneOf":
            exclusiveChoice = try schemas(keyword, value, in: &document)
            choices.append(exclusiveChoice)
        case "$ref": conjuncts.append(try document.resolve(try string(keyword, value), from: path))
        case "$id" where path == "#": break
        case "$id": throw fault("the keyword \"$id\" is supported at the top only")
        case "uniqueItems" where value == false: break
        case _ where Self.annotations.contains(keyword) || keyword.hasPrefix("x-"): break
        default: throw fault("the keyword \"\(keyword.printable)\" is not supported")
        }
    }

    /// Keywords that limit nothing.
    private static let annotations: Set = [
        "$anchor", "$comment", "$defs", "$schema", "contentEncoding", "contentMediaType", "default", "definitions",
        "deprecated", "description", "discriminator", "examples", "readOnly", "title", "writeOnly",
    ]

    private func readTypes(_ value: JSONValue) throws(InferenceError) -> JSONTypes {
        var types: JSONTypes = []
        for name in value.array ?? [value] {
            guard let name = name.string, let type = JSONTypes(name: name) else {
                throw fault("the type \(name.description.printable) is unknown")
            }
            types.formUnion(type)
        }
        return types
    }

    private mutating func readValues(_ keyword: String, _ value: JSONValue) throws(InferenceError) {
        let new = keyword == "const" ? [value] : try list(keyword, value)
        values = values.map { old in old.filter { value in new.contains { $0.isEqual(to: value) } } } ?? new
    }

    private mutating func readNumber(_ keyword: String, _ value: JSONValue) throws(InferenceError) {
        guard let number = DecimalNumber(value) else { throw fault("the value of \"\(keyword)\" is no number") }
        switch keyword {
        case "minimum": numbers.limit(below: NumberRange.Bound(value: number, isExclusive: false))
        case "maximum": numbers.limit(above: NumberRange.Bound(value: number, isExclusive: false))
        case "exclusiveMinimum": numbers.limit(below: NumberRange.Bound(value: number, isExclusive: true))
        case "exclusiveMaximum": numbers.limit(above: NumberRange.Bound(value: number, isExclusive: true))
        default:
            guard !number.isNegative, !number.isZero else { throw fault("the value of \"multipleOf\" is not above 0") }
            numbers.limit(toMultiplesOf: number)
        }
    }

    // MARK: Values of keywords

    private func string(_ keyword: String, _ value: JSONValue) throws(InferenceError) -> String {
        guard let string = value.string else { throw fault("the value of \"\(keyword)\" is no string") }
        return string
    }

    private func list(_ keyword: String, _ value: JSONValue) throws(InferenceError) -> [JSONValue] {
        guard let list = value.array else { throw fault("the value of \"\(keyword)\" is no array") }
        return list
    }

    /// A number of characters or elements.
    private func count(_ keyword: String, _ value: JSONValue) throws(InferenceError) -> Int {
        guard let number = DecimalNumber(value), !number.isNegative, let count = number.scaled(by: 0) else {
            throw fault("the value of \"\(keyword)\" is no whole number from 0 on")
        }
        return count
    }

    private func schemas(
        _ keyword: String, _ value: JSONValue, in document: inout SchemaDocument
    ) throws(InferenceError) -> [SchemaID] {
        var schemas: [SchemaID] = []
        for (index, schema) in try list(keyword, value).enumerated() {
            schemas.append(try document.add(schema, at: path.appending(keyword, "\(index)")))
        }
        guard !schemas.isEmpty else { throw fault("the value of \"\(keyword)\" has no schema") }
        return schemas
    }

    /// An error that names the place.
    func fault(_ message: String) -> InferenceError {
        InferenceError(.invalidArgument, "JSON schema, \(path.printable): \(message)")
    }
}

extension String {
    /// The JSON pointer with further tokens.
    fileprivate func appending(_ tokens: String...) -> String {
        var pointer = self
        for token in tokens {
            pointer += "/"
            for scalar in token.unicodeScalars {
                switch scalar {
                case "~": pointer += "~0"
                case "/": pointer += "~1"
                default: pointer.unicodeScalars.append(scalar)
                }
            }
        }
        return pointer
    }
}
