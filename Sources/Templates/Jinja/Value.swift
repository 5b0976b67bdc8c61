// The values of a template: those of Python that templates use.

import InferSupport

/// A value of a template. Lists, mappings and namespaces are references, as in Python.
enum Value {
    /// A missing value; the text says what is missing.
    case undefined(String)
    case none
    case bool(Bool)
    case integer(Int)
    case float(Double)
    case text(TemplateText)
    case list(ListValue)
    case mapping(MappingValue)
    case namespace(NamespaceValue)
    case loop(LoopValue)
    case function(FunctionValue)

    static func string(_ text: String) -> Value { .text(TemplateText(text)) }

    /// Python's truth of the value.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .float(let value): value != 0
        case .text(let text): !text.bytes.isEmpty
        case .list(let list): list.kind == .iterator || !list.items.isEmpty
        case .mapping(let mapping): mapping.count > 0
        case .namespace, .function: true
        case .loop(let loop): loop.count > 0
        }
    }

    /// Python's name of the type.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .integer: "int"
        case .float: "float"
        case .text(let text): text.isMarkup ? "Markup" : "str"
        case .list(let list): list.kind.rawValue
        case .mapping: "dict"
        case .namespace: "Namespace"
        case .loop: "LoopContext"
        case .function: "function"
        }
    }

    /// Python's description of an object in messages about missing attributes.
    var objectName: String { if case .none = self { "None" } else { "\(typeName) object" } }

    /// The number that an integer, a float or a truth value counts as.
    var number: Number? {
        switch self {
        case .bool(let value): .integer(value ? 1 : 0)
        case .integer(let value): .integer(value)
        case .float(let value): .float(value)
        default: nil
        }
    }

    /// A number of Python.
    enum Number {
        case integer(Int)
        case float(Double)

        var double: Double {
            switch self {
            case .integer(let value): Double(value)
            case .float(let value): value
            }
        }
    }

    /// The value as an integer, if it is one or a truth value.
    var index: Int? { if case .integer(let value)? = number { value } else { nil } }
}

/// A sequence of values: a list, or another of Python's types that behave alike.
final class ListValue {
    /// Python's type of the sequence.
    enum Kind: String {
        case list, tuple, range
        /// What filters such as `map` return. It can be read once.
        case iterator = "generator"
        case keys = "dict_keys"
        case values = "dict_values"
        case items = "dict_items"

        /// Whether elements have indexes.
        var isIndexed: Bool { self == .list || self == .tuple || self == .range }
    }

    var items: [Value]
    let kind: Kind

    init(_ items: [Value], _ kind: Kind = .list) {
        self.items = items
        self.kind = kind
    }
}

/// A mapping that keeps the order of its keys.
final class MappingValue {
    private(set) var keys: [Value] = []
    private(set) var values: [Value] = []
    private var places: [Key: Int] = [:]

    var count: Int { keys.count }

    /// What distinguishes keys. Equal numbers are the same key whatever their type.
    enum Key: Hashable {
        case none
        case integer(Int)
        case float(Double)
        case text([UInt8])
        case tuple([Key])

        /// Nil for values that are not hashable in Python, or nested too deeply.
        init?(_ value: Value, depth: Int = 0) {
            switch value {
            case .none: self = .none
            case .bool(let value): self = .integer(value ? 1 : 0)
            case .integer(let value): self = .integer(value)
            case .float(let value): self = Int(exactly: value).map { .integer($0) } ?? .float(value)
            case .text(let text): self = .text(text.bytes)
            case .list(let list) where list.kind == .tuple && depth < 20:
                var parts: [Key] = []
                for item in list.items {
                    guard let part = Key(item, depth: depth + 1) else { return nil }
                    parts.append(part)
                }
                self = .tuple(parts)
            default: return nil
            }
        }
    }

    subscript(key: Key) -> Value? { places[key].map { values[$0] } }

    subscript(key: String) -> Value? { self[.text(Array(key.utf8))] }

    func set(_ key: Value, _ hashed: Key, _ value: Value) {
        if let place = places[hashed] {
            values[place] = value
        } else {
            places[hashed] = keys.count
            keys.append(key)
            values.append(value)
        }
    }

    func remove(_ key: Key) -> Value? {
        guard let place = places.removeValue(forKey: key) else { return nil }
        for (other, index) in places where index > place { places[other] = index - 1 }
        keys.remove(at: place)
        return values.remove(at: place)
    }

    func removeAll() {
        keys = []
        values = []
        places = [:]
    }
}

/// The variables of a `namespace()`, which inner scopes can assign.
final class NamespaceValue {
    let members = MappingValue()
}

/// The variable `loop` of a loop.
final class LoopValue {
    /// The items; empty once the loop has ended.
    private(set) var items: [Value]
    let count: Int
    var index0 = 0
    let depth0: Int
    /// The loop, if it is recursive, with the scope that its body is rendered in.
    private(set) var recursion: (loop: Statement.Loop, scope: Scope)?
    /// The arguments of the last call of `loop.changed`.
    var lastChanged: [Value]?

    init(items: [Value], depth0: Int, recursion: (loop: Statement.Loop, scope: Scope)?) {
        self.items = items
        count = items.count
        self.depth0 = depth0
        self.recursion = recursion
    }

    /// Drops all references to other values.
    func clear() {
        items = []
        recursion = nil
        lastChanged = nil
    }
}

/// Something that can be called.
final class FunctionValue {
    enum Kind {
        /// A function that every template has, by its name.
        case global(String)
        /// A macro or the body of a `call` block, with the scope of its definition.
        case macro(Macro, Scope)
        /// A method of a value.
        case method(Value, String)
        /// A `cycler` and a `joiner`, with their state.
        case cycler(CyclerValue, String)
        case joiner(CyclerValue)
    }

    let kind: Kind

    init(_ kind: Kind) { self.kind = kind }
}

/// The state of a `cycler` or `joiner`.
final class CyclerValue {
    var items: [Value]
    var index = 0

    init(_ items: [Value]) { self.items = items }
}

/// The variables of a template, block, loop or macro.
final class Scope {
    var variables: [String: Value] = [:]
    let parent: Scope?

    init(parent: Scope?) { self.parent = parent }

    func value(of name: String) -> Value? {
        var scope: Scope? = self
        while let current = scope {
            if let value = current.variables[name] { return value }
            scope = current.parent
        }
        return nil
    }
}
