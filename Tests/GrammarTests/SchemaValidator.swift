// Says whether a value is valid against a schema, the slow and obvious way. The tests compare grammars with it.

import Foundation
import InferSupport

/// A validator for the keywords that grammars support, without `pattern` and `format`.
struct SchemaValidator {
    let root: JSONValue

    func isValid(_ value: JSONValue, _ schema: JSONValue) -> Bool {
        guard case .object(let keywords) = schema else { return schema == true }
        return keywords.members.allSatisfy { holds($0.key, $0.value, value, schema) }
    }

    private func holds(_ keyword: String, _ wanted: JSONValue, _ value: JSONValue, _ schema: JSONValue) -> Bool {
        switch keyword {
        case "type": (wanted.array ?? [wanted]).contains { $0.string.map { hasType(value, $0) } ?? false }
        case "enum": wanted.array?.contains { isEqual($0, value) } ?? false
        case "const": isEqual(wanted, value)
        case "anyOf", "oneOf": wanted.array?.contains { isValid(value, $0) } ?? false
        case "allOf": wanted.array?.allSatisfy { isValid(value, $0) } ?? false
        case "$ref": isValid(value, target(wanted.string ?? ""))
        case "minimum": number(value).map { $0 >= number(wanted) ?? 0 } ?? true
        case "maximum": number(value).map { $0 <= number(wanted) ?? 0 } ?? true
        case "exclusiveMinimum": number(value).map { $0 > number(wanted) ?? 0 } ?? true
        case "exclusiveMaximum": number(value).map { $0 < number(wanted) ?? 0 } ?? true
        case "multipleOf": number(value).map { isMultiple($0, of: number(wanted) ?? 1) } ?? true
        case "minLength": value.string.map { $0.unicodeScalars.count >= count(wanted) } ?? true
        case "maxLength": value.string.map { $0.unicodeScalars.count <= count(wanted) } ?? true
        case "minItems": value.array.map { $0.count >= count(wanted) } ?? true
        case "maxItems": value.array.map { $0.count <= count(wanted) } ?? true
        case "prefixItems":
            zip(value.array ?? [], wanted.array ?? []).allSatisfy { isValid($0, $1) }
        case "items":
            (value.array ?? []).dropFirst(schema["prefixItems"]?.array?.count ?? 0).allSatisfy { isValid($0, wanted) }
        case "required":
            value.object.map { object in (wanted.array ?? []).allSatisfy { object[$0.string ?? ""] != nil } } ?? true
        case "properties":
            (wanted.object?.members ?? []).allSatisfy { member in
                value[member.key].map { isValid($0, member.value) } ?? true
            }
        case "additionalProperties":
            (value.object?.members ?? []).allSatisfy {
                schema["properties"]?[$0.key] != nil || isValid($0.value, wanted)
            }
        default: true
        }
    }

    private func hasType(_ value: JSONValue, _ type: String) -> Bool {
        switch (type, value) {
        case ("null", .null), ("boolean", .bool), ("number", .integer), ("number", .number), ("integer", .integer),
            ("string", .string), ("array", .array), ("object", .object):
            true
        case ("integer", .number(let number)): number.rounded() == number
        default: false
        }
    }

    private func number(_ value: JSONValue) -> Double? {
        switch value {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        default: nil
        }
    }

    private func count(_ value: JSONValue) -> Int { number(value).map { Int($0) } ?? 0 }

    private func isMultiple(_ value: Double, of unit: Double) -> Bool {
        let quotient = value / unit
        return abs(quotient - quotient.rounded()) <= 1e-9 * max(1, abs(quotient))
    }

    private func isEqual(_ one: JSONValue, _ other: JSONValue) -> Bool {
        switch (one, other) {
        case (.integer, .number), (.number, .integer): number(one) == number(other)
        case (.array(let one), .array(let other)):
            one.count == other.count && zip(one, other).allSatisfy { isEqual($0, $1) }
        case (.object(let one), .object(let other)):
            one.members.count == other.members.count
                && one.members.allSatisfy { member in other[member.key].map { isEqual($0, member.value) } ?? false }
        default: one == other
        }
    }

    private func target(_ reference: String) -> JSONValue {
        reference.split(separator: "/").dropFirst().reduce(root) { $0[String($1)] ?? false }
    }
}
