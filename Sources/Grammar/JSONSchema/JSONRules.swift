// How JSON is written: its white space, and the rules of values that no schema limits.

import InferSupport

/// How JSON texts are written.
public struct JSONStyle: Sendable, Hashable {
    /// The white space between the parts of a text.
    public enum WhiteSpace: Sendable, Hashable {
        /// None.
        case none
        /// What models write: behind an opening bracket, behind a comma and before a closing bracket either nothing, or a space, or a line
        /// break and up to so many spaces or tabs; behind a colon nothing or a space. It is bounded, so a model cannot write white space
        /// without end.
        case flexible(maximumIndentation: Int)
    }

    /// The white space between the parts of a text.
    public var whiteSpace = WhiteSpace.flexible(maximumIndentation: 32)
    /// Whether objects may have properties that the schema does not name and does not rule out. JSON Schema says so, and it is the
    /// default. If false, an object has undeclared properties only where `additionalProperties` says so, or where the schema names no
    /// property at all.
    public var allowsUndeclaredProperties = true

    /// A style.
    public init(
        whiteSpace: WhiteSpace = .flexible(maximumIndentation: 32), allowsUndeclaredProperties: Bool = true
    ) {
        self.whiteSpace = whiteSpace
        self.allowsUndeclaredProperties = allowsUndeclaredProperties
    }
}

/// The rules of JSON that the rules of a schema refer to.
///
/// Numbers are bounded, too: up to 20 digits before the point and 20 after it, and an exponent of up to two digits, so that every number
/// can be read.
struct JSONRules {
    /// White space between values.
    private(set) var space = Expression.empty
    /// The colon behind a key.
    private(set) var colon = Expression.text(":")
    /// Any string.
    private(set) var string = Expression.never
    /// Any number.
    private(set) var number = Expression.never
    /// Any value.
    private(set) var value = Expression.never
    /// Any array.
    private(set) var array = Expression.never
    /// Any object.
    private(set) var object = Expression.never

    /// Adds the rules to `rules`.
    init(_ style: JSONStyle, _ rules: inout RuleSet) {
        if case .flexible(let indentation) = style.whiteSpace {
            let line = Expression.sequence([
                .text("\n"), .repetition(.bytes(ByteSet(" \t")), minimum: 0, maximum: max(indentation, 0)),
            ])
            // No rule of its own: in place, it needs no look at the stack.
            space = .choice([.empty, .text(" "), line])
            colon = .sequence([.text(":"), .optional(.text(" "))])
        }
        let characters = Expression.repetition(Self.character, minimum: 0, maximum: nil)
        string = .rule(rules.add("string", .sequence([.text("\""), characters, .text("\"")])))
        number = .rule(rules.add("number", Self.anyNumber))
        let value = rules.add("value")
        self.value = .rule(value)
        array = .rule(rules.add("array", brackets("[", list(of: self.value), "]", canBeEmpty: true)))
        let member = Expression.sequence([string, colon, self.value])
        object = .rule(rules.add("object", brackets("{", list(of: member), "}", canBeEmpty: true)))
        rules.rules[value].body = .choice([
            .text("null"), .text("true"), .text("false"), number, string, array, object,
        ])
    }

    // MARK: Parts

    /// The comma between two elements.
    var comma: Expression { .sequence([.text(","), space]) }

    /// Elements with commas between them, at least one.
    func list(of element: Expression) -> Expression {
        .sequence([element, .repetition(.sequence([comma, element]), minimum: 0, maximum: nil)])
    }

    /// Elements in brackets. `elements` has at least one.
    func brackets(_ opening: String, _ elements: Expression, _ closing: String, canBeEmpty: Bool) -> Expression {
        let inside = Expression.sequence([elements, space])
        return .sequence([.text(opening), space, canBeEmpty ? .optional(inside) : inside, .text(closing)])
    }

    /// A certain value. Objects keep the order of their members.
    func expression(of value: JSONValue) -> Expression {
        switch value {
        case .array(let elements):
            let list = elements.map(expression)
            return brackets("[", joined(list), "]", canBeEmpty: list.isEmpty)
        case .object(let object):
            let list = object.members.map { Expression.sequence([key($0.key), expression(of: $0.value)]) }
            return brackets("{", joined(list), "}", canBeEmpty: list.isEmpty)
        case .integer, .number: return .text(value.numberText)
        default: return .text(value.description)
        }
    }

    private func joined(_ elements: [Expression]) -> Expression {
        guard let first = elements.first else { return .never }
        return .sequence([first] + elements.dropFirst().flatMap { [comma, $0] })
    }

    /// A key, with the colon behind it.
    func key(_ name: String) -> Expression { .sequence([.text(JSONValue.string(name).description), colon]) }

    /// A character of a string, in any spelling that JSON has for it. Halves of surrogate pairs are none.
    static let character: Expression = {
        let raw = ScalarSet([0...0x1F, 0x22...0x22, 0x5C...0x5C]).inverted
        let hex = Expression.bytes(ByteSet("0123456789abcdefABCDEF"))
        let (d, lower) = (Expression.bytes(ByteSet("dD")), Expression.bytes(ByteSet("01234567")))
        let notD = Expression.bytes(ByteSet("0123456789abcefABCEF"))
        let basic = Expression.choice([.sequence([notD, hex]), .sequence([d, lower])])
        let pair = Expression.sequence([
            d, .bytes(ByteSet("89abAB")), hex, hex, .text("\\u"), d, .bytes(ByteSet("cdefCDEF")), hex, hex,
        ])
        let escape = Expression.choice([
            .bytes(ByteSet("\"\\/bfnrt")), .sequence([.text("u"), .choice([.sequence([basic, hex, hex]), pair])]),
        ])
        return .choice([.characters(raw), .sequence([.text("\\"), escape])])
    }()

    private static let digit = Expression.bytes(ByteSet("0123456789"))

    /// A whole number.
    static let integer = Expression.sequence([
        .optional(.text("-")),
        .choice([
            .text("0"), .sequence([.bytes(ByteSet("123456789")), .repetition(digit, minimum: 0, maximum: 19)]),
        ]),
    ])

    private static let anyNumber = Expression.sequence([
        integer, .optional(.sequence([.text("."), .repetition(digit, minimum: 1, maximum: 20)])),
        .optional(
            .sequence([
                .bytes(ByteSet("eE")), .optional(.bytes(ByteSet("+-"))), .repetition(digit, minimum: 1, maximum: 2),
            ])),
    ])
}

// MARK: Values

extension JSONValue {
    /// A number as a text: without exponent, unless it is very large or small. A whole number has no point.
    fileprivate var numberText: String {
        guard let number = DecimalNumber(self), number.integerDigits.count <= 20, number.fractionDigits.count <= 20
        else { return description }
        return number.text
    }

    /// Whether the values are equal by JSON Schema's rules: 1 equals 1.0, and the order of an object's members does not count.
    func isEqual(to other: JSONValue) -> Bool {
        switch (self, other) {
        case (.integer, .number), (.number, .integer): DecimalNumber(self) == DecimalNumber(other)
        case (.array(let one), .array(let other)):
            one.count == other.count && zip(one, other).allSatisfy { $0.isEqual(to: $1) }
        case (.object(let one), .object(let other)):
            one.members.count == other.members.count
                && one.members.allSatisfy { member in other[member.key].map(member.value.isEqual) ?? false }
        case (.string(let one), .string(let other)): one.utf8.elementsEqual(other.utf8)
        default: self == other
        }
    }
}
