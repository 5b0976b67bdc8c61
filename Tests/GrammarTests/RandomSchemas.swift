// Random schemas of the keywords that grammars support.

import InferSupport
import TestSupport

/// Makes schemas that allow at least one value.
struct RandomSchemas {
    private var random: SeededGenerator
    /// Whether schemas may refer to definitions. Those of a definition itself would not always go into a part of the value.
    private var hasReferences = true
    private static let names = ["a", "b", "name", "x y", "é\"", "", "ab", "item"]

    init(seed: UInt64) { random = SeededGenerator(seed) }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    private mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }

    /// A whole schema with definitions that refer to each other and to the whole.
    mutating func document() -> JSONValue {
        guard case .object(var object) = schema(depth: 3) else { return true }
        hasReferences = false
        defer { hasReferences = true }
        object["$defs"] = [
            "one": schema(depth: 1),
            "tree": [
                "type": "object",
                "properties": [
                    "value": schema(depth: 0), "next": ["anyOf": [["$ref": "#/$defs/tree"], ["type": "null"]]],
                ],
                "required": ["value"], "additionalProperties": false,
            ],
        ]
        return .object(object)
    }

    mutating func schema(depth: Int) -> JSONValue {
        switch below(depth > 0 ? 12 : 7) {
        case 0: return number(integersOnly: chance(50))
        case 1: return string()
        case 2: return ["type": ["boolean", "null"]]
        case 3: return ["enum": ["red", 1, nil, 2.5, ["a": [true]], "grün"]]
        case 4: return ["const": ["k": .string(Self.names[below(Self.names.count)])]]
        case 5: return ["type": ["string", "integer"], "minLength": 1, "maximum": 99]
        case 6:
            return hasReferences ? ["$ref": .string(chance(50) ? "#/$defs/tree" : "#/$defs/one")] : ["type": "string"]
        case 7, 8: return array(depth: depth)
        case 9: return ["anyOf": [schema(depth: depth - 1), schema(depth: depth - 1)]]
        default: return object(depth: depth)
        }
    }

    private mutating func number(integersOnly: Bool) -> JSONValue {
        var object: JSONObject = ["type": integersOnly ? "integer" : "number"]
        let low = below(200) - 100
        if chance(50) { object[chance(50) ? "minimum" : "exclusiveMinimum"] = .integer(low) }
        if chance(50) {
            let high = low + 3 + below(1000)
            object[chance(50) ? "maximum" : "exclusiveMaximum"] =
                chance(50) ? .integer(high) : .number(Double(high) + 0.5)
        }
        if chance(20) { object["multipleOf"] = integersOnly ? .integer(1 + below(2)) : .number(0.5) }
        return .object(object)
    }

    private mutating func string() -> JSONValue {
        var object: JSONObject = ["type": "string"]
        let low = below(4)
        if chance(50) { object["minLength"] = .integer(low) }
        if chance(50) { object["maxLength"] = .integer(low + below(5)) }
        return .object(object)
    }

    private mutating func array(depth: Int) -> JSONValue {
        var object: JSONObject = ["type": "array", "items": schema(depth: depth - 1)]
        let low = below(3)
        if chance(30) { object["prefixItems"] = [schema(depth: depth - 1), schema(depth: depth - 1)] }
        if chance(50) { object["minItems"] = .integer(low) }
        if chance(50) { object["maxItems"] = .integer(low + below(3)) }
        return .object(object)
    }

    private mutating func object(depth: Int) -> JSONValue {
        var properties = JSONObject()
        var required: [JSONValue] = []
        for name in Self.names where chance(35) {
            properties[name] = schema(depth: depth - 1)
            if chance(60) { required.append(.string(name)) }
        }
        var object: JSONObject = ["type": "object", "properties": .object(properties), "required": .array(required)]
        switch below(3) {
        case 0: object["additionalProperties"] = false
        case 1: object["additionalProperties"] = schema(depth: depth - 1)
        default: break
        }
        return .object(object)
    }
}
