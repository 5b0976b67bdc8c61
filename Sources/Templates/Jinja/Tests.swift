// The tests of templates (`value is name`).

import InferSupport

extension Interpreter {
    /// The names of all tests.
    static let tests: Set<String> = [
        "==", "!=", "<", "<=", ">", ">=", "boolean", "callable", "defined", "divisibleby", "eq", "equalto", "escaped",
        "even", "false", "filter", "float", "ge", "greaterthan", "gt", "in", "integer", "iterable", "le", "lessthan",
        "lower", "lt", "mapping", "ne", "none", "number", "odd", "sameas", "sequence", "string", "test", "true",
        "undefined", "upper",
    ]

    func apply(test name: String, to value: Value, _ arguments: [Value]) throws(Fault) -> Bool {
        try spend(1)
        switch name {
        case "defined": if case .undefined = value { return false } else { return true }
        case "undefined": if case .undefined = value { return true } else { return false }
        case "none": if case .none = value { return true } else { return false }
        case "boolean": if case .bool = value { return true } else { return false }
        case "true": if case .bool(true) = value { return true } else { return false }
        case "false": if case .bool(false) = value { return true } else { return false }
        case "integer": if case .integer = value { return true } else { return false }
        case "float": if case .float = value { return true } else { return false }
        case "number": return value.number != nil
        case "string": if case .text = value { return true } else { return false }
        case "escaped": if case .text(let text) = value { return text.isMarkup } else { return false }
        case "mapping": if case .mapping = value { return true } else { return false }
        case "callable":
            switch value {
            case .function, .loop: return true
            default: return false
            }
        case "iterable":
            switch value {
            case .list, .mapping, .text, .undefined, .loop: return true
            default: return false
            }
        case "sequence":
            switch value {
            case .list(let list): return list.kind.isIndexed
            case .mapping, .text: return true
            default: return false
            }
        case "odd", "even", "divisibleby":
            let divisor = name == "divisibleby" ? try argument(name, arguments) : .integer(2)
            let remainder = try arithmetic(.remainder, value, divisor)
            return try areEqual(remainder, .integer(name == "odd" ? 1 : 0))
        case "lower", "upper":
            let text = try text(of: value)
            try spend(text.bytes.count / 16)
            return Self.isCased(text, upper: name == "upper")
        case "filter": return Self.filters.contains(try text(of: value).string)
        case "test": return Self.tests.contains(try text(of: value).string)
        case "sameas": return try isSame(value, try argument(name, arguments))
        case "in": return try contains(try argument(name, arguments), value)
        case "==", "eq", "equalto": return try areEqual(value, try argument(name, arguments))
        case "!=", "ne": return try !areEqual(value, try argument(name, arguments))
        case "<", "lt", "lessthan": return try compare(.less, value, try argument(name, arguments))
        case "<=", "le": return try compare(.lessOrEqual, value, try argument(name, arguments))
        case ">", "gt", "greaterthan": return try compare(.greater, value, try argument(name, arguments))
        case ">=", "ge": return try compare(.greaterOrEqual, value, try argument(name, arguments))
        default: throw Fault("no test named '\(name.printable)'")
        }
    }

    private func argument(_ name: String, _ arguments: [Value]) throws(Fault) -> Value {
        guard let argument = arguments.first else { throw Fault("the test '\(name)' needs an argument") }
        return argument
    }

    /// Python's `is` as far as templates can rely on it.
    private func isSame(_ one: Value, _ other: Value) throws(Fault) -> Bool {
        switch (one, other) {
        case (.none, .none): true
        case (.bool(let one), .bool(let other)): one == other
        case (.integer(let one), .integer(let other)): one == other
        case (.list(let one), .list(let other)): one === other
        case (.mapping(let one), .mapping(let other)): one === other
        case (.namespace(let one), .namespace(let other)): one === other
        case (.text(let one), .text(let other)): one == other
        default: false
        }
    }

    /// Whether the text has letters with case, and all of these have that case.
    static func isCased(_ text: TemplateText, upper: Bool) -> Bool {
        var hasLetter = false
        for (scalar, _) in text.scalars where scalar.properties.isCased {
            if upper ? !scalar.properties.isUppercase : !scalar.properties.isLowercase { return false }
            hasLetter = true
        }
        return hasLetter
    }
}
