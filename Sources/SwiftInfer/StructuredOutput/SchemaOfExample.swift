// The schema of a value that serves as an example of its type.

public import InferSupport

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension JSONSchema {
    /// The schema of values that are like `example`: objects have the same members in the same order, arrays have elements like the first
    /// one, and texts, numbers and truth values may be any. Members that are optional may be null. An enumeration that is `CaseIterable`
    /// is one of its cases.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` if the example does not show all types: an array without elements, or an
    ///   optional member of a type that is neither text, number nor truth value, without a value.
    public init(example: some Encodable) throws(InferenceError) {
        do {
            self = try ExampleEncoder.schema(of: example, path: [])
        } catch let error as InferenceError {
            throw error
        } catch {
            throw InferenceError(.invalidArgument, "the example cannot be encoded", cause: error)
        }
    }
}

/// Finds the schema of one value while the value encodes itself.
private final class ExampleEncoder: Encoder {
    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]
    /// What the value has encoded so far.
    var content = Content.nothing
    /// Whether the value has used a container in a container, which is not followed.
    var hasNestedContainers = false

    enum Content {
        case nothing
        case schema(JSONSchema)
        case members([(String, JSONSchema)])
        case elements([JSONSchema])
    }

    init(_ path: [any CodingKey]) { codingPath = path }

    /// The schema of a value.
    static func schema<Value: Encodable>(of value: Value, path: [any CodingKey]) throws -> JSONSchema {
        switch value {
        // What JSONDecoder reads by itself.
        case is URL, is Data: return .string()
        case is Date, is Decimal: return .number()
        default: break
        }
        if let cases = (Value.self as? any CaseIterable.Type)?.encodedCases { return .oneOf(try cases()) }
        let encoder = ExampleEncoder(path)
        try value.encode(to: encoder)
        return try encoder.schema
    }

    private var schema: JSONSchema {
        get throws {
            if hasNestedContainers { throw fault("encodes a container in a container, which is not supported") }
            switch content {
            case .schema(let schema): return schema
            case .members(let members): return .object(members)
            case .elements(let elements):
                guard let first = elements.first else { throw fault("has no elements, which would show their type") }
                return .array(of: first)
            case .nothing: return .object([])
            }
        }
    }

    func fault(_ message: String) -> InferenceError {
        let path = codingPath.map(\.stringValue).joined(separator: ".")
        return InferenceError(
            .invalidArgument, "the example's \(path.isEmpty ? "value" : "member \"\(path.printable)\"") \(message)")
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .members = content {} else { content = .members([]) }
        return KeyedEncodingContainer(Members(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .elements = content {} else { content = .elements([]) }
        return Elements(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { SingleValue(encoder: self) }

    /// Adds a member, or replaces it.
    func add(_ name: String, _ schema: JSONSchema) {
        guard case .members(var members) = content else { return }
        if let index = members.firstIndex(where: { $0.0 == name }) {
            members[index].1 = schema
        } else {
            members.append((name, schema))
        }
        content = .members(members)
    }

    func add(element: JSONSchema) {
        if case .elements(let elements) = content { content = .elements(elements + [element]) }
    }
}

extension JSONSchema {
    /// The schema of a value of the standard library's simple types; nil for other types.
    fileprivate init?(simple type: Any.Type) {
        switch type {
        case is Bool.Type: self = .boolean
        case is String.Type: self = .string()
        case is Double.Type, is Float.Type: self = .number()
        case is any FixedWidthInteger.Type: self = .integer()
        default: return nil
        }
    }
}

extension CaseIterable {
    /// The cases in JSON; nil if they cannot be encoded.
    fileprivate static var encodedCases: (() throws -> [JSONValue])? {
        guard Self.self is any Encodable.Type else { return nil }
        return {
            try allCases.compactMap { $0 as? any Encodable }.map { value in
                // An array, because not all decoders take a text or a number as a document.
                let array = try JSONValue(parsing: JSONEncoder().encode([AnyEncodable(value)]))
                return array.array?.first ?? .null
            }
        }
    }
}

/// A value of any type that can be encoded.
private struct AnyEncodable: Encodable {
    let value: any Encodable
    init(_ value: any Encodable) { self.value = value }
    func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}

// MARK: Containers

private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: ExampleEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }

    mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        let schema =
            try JSONSchema(simple: Value.self) ?? ExampleEncoder.schema(of: value, path: codingPath + [key])
        encoder.add(key.stringValue, schema)
    }

    mutating func encodeIfPresent<Value: Encodable>(_ value: Value?, forKey key: Key) throws {
        var schema = JSONSchema(simple: Value.self)
        if schema == nil, let value { schema = try ExampleEncoder.schema(of: value, path: codingPath + [key]) }
        guard let schema else {
            throw ExampleEncoder(codingPath + [key]).fault("has no value, which would show its type")
        }
        encoder.add(key.stringValue, .optional(schema))
    }

    // The protocol has these for the simple types, which would win over the one above.
    mutating func encodeIfPresent(_ value: Bool?, forKey key: Key) { add(key, .optional(.boolean)) }
    mutating func encodeIfPresent(_ value: String?, forKey key: Key) { add(key, .optional(.string())) }
    mutating func encodeIfPresent(_ value: Double?, forKey key: Key) { add(key, .optional(.number())) }
    mutating func encodeIfPresent(_ value: Float?, forKey key: Key) { add(key, .optional(.number())) }
    mutating func encodeIfPresent(_ value: Int?, forKey key: Key) { add(key, .optional(.integer())) }
    mutating func encodeIfPresent(_ value: Int8?, forKey key: Key) { add(key, .optional(.integer())) }
    mutating func encodeIfPresent(_ value: Int16?, forKey key: Key) { add(key, .optional(.integer())) }
    mutating func encodeIfPresent(_ value: Int32?, forKey key: Key) { add(key, .optional(.integer())) }
    mutating func encodeIfPresent(_ value: Int64?, forKey key: Key) { add(key, .optional(.integer())) }
    mutating func encodeIfPresent(_ value: UInt?, forKey key: Key) { add(key, .optional(.integer())) }
    mutating func encodeIfPresent(_ value: UInt8?, forKey key: Key) { add(key, .optional(.integer())) }
    mutating func encodeIfPresent(_ value: UInt16?, forKey key: Key) { add(key, .optional(.integer())) }
    mutating func encodeIfPresent(_ value: UInt32?, forKey key: Key) { add(key, .optional(.integer())) }
    mutating func encodeIfPresent(_ value: UInt64?, forKey key: Key) { add(key, .optional(.integer())) }

    private func add(_ key: Key, _ schema: JSONSchema) { encoder.add(key.stringValue, schema) }

    mutating func encodeNil(forKey key: Key) throws { encoder.add(key.stringValue, .null) }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        encoder.hasNestedContainers = true
        return KeyedEncodingContainer(Members<NestedKey>(encoder: encoder))
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoder.hasNestedContainers = true
        return Elements(encoder: encoder)
    }

    mutating func superEncoder() -> any Encoder { encoder }
    mutating func superEncoder(forKey key: Key) -> any Encoder { encoder }
}

private struct Elements: UnkeyedEncodingContainer {
    let encoder: ExampleEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int { if case .elements(let elements) = encoder.content { elements.count } else { 0 } }

    mutating func encode<Value: Encodable>(_ value: Value) throws {
        encoder.add(
            element: try JSONSchema(simple: Value.self) ?? ExampleEncoder.schema(of: value, path: codingPath))
    }

    mutating func encodeNil() throws { encoder.add(element: .null) }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> {
        encoder.hasNestedContainers = true
        return KeyedEncodingContainer(Members<NestedKey>(encoder: encoder))
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        encoder.hasNestedContainers = true
        return self
    }

    mutating func superEncoder() -> any Encoder { encoder }
}

private struct SingleValue: SingleValueEncodingContainer {
    let encoder: ExampleEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }

    mutating func encode<Value: Encodable>(_ value: Value) throws {
        encoder.content = .schema(
            try JSONSchema(simple: Value.self) ?? ExampleEncoder.schema(of: value, path: codingPath))
    }

    mutating func encodeNil() throws { encoder.content = .schema(.null) }
}
