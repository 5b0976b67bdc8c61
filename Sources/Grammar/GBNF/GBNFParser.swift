// GBNF, the grammar format of llama.cpp.

import InferSupport

/// A parser of GBNF, https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md.
///
/// Supported is the format but for tokens:
/// - rules `name ::= …`, with names of letters, digits and hyphens; the rule `root` is the whole text;
/// - `"text"`, the characters `[a-z_]` and `[^"\\]`, any character `.`, a rule's name, and groups in parentheses;
/// - alternatives `|`; the repetitions `*`, `+`, `?`, `{m}`, `{m,}` and `{m,n}`;
/// - the escapes `\n`, `\r`, `\t`, `\\`, `\"`, `\[`, `\]`, `\xHH`, `\uHHHH` and `\UHHHHHHHH`, in texts and among characters;
/// - comments from `#` to the end of the line. A rule ends with its line, but goes on inside parentheses, after `::=` and after `|`.
///
/// Refused are tokens (`<…>`, `!<…>`), rules that are missing or defined twice, and left recursion.
struct GBNFParser {
    /// The deepest nesting of parentheses.
    private static let maximumDepth = 80

    private var reader: PatternReader
    private let limits: GrammarLimits
    private var rules = RuleSet()
    private var numbers: [String: Int] = [:]
    /// For each rule, where it is referred to first.
    private var firstReferences: [Int] = []
    private var isDefined: [Bool] = []

    /// The rules of `source`. Rule 0 is `root`.
    static func rules(of source: String, limits: GrammarLimits) throws(InferenceError) -> RuleSet {
        var parser = GBNFParser(reader: try PatternReader(source, "the grammar", limits), limits: limits)
        return try parser.document()
    }

    private init(reader: PatternReader, limits: GrammarLimits) { (self.reader, self.limits) = (reader, limits) }

    private mutating func document() throws(InferenceError) -> RuleSet {
        _ = try number(of: "root")
        skipSpace(andLines: true)
        while reader.current != nil { try rule() }
        for (number, rule) in rules.rules.enumerated() where !isDefined[number] {
            throw reader.fault("the rule \"\(rule.name.printable)\" is not defined", at: firstReferences[number])
        }
        return rules
    }

    private mutating func rule() throws(InferenceError) {
        let place = reader.position
        let number = try number(of: try name())
        guard !isDefined[number] else {
            throw reader.fault("the rule \"\(rules.rules[number].name.printable)\" is defined twice", at: place)
        }
        skipSpace()
        guard reader.take("::=") else { throw reader.unexpected("'::='") }
        skipSpace(andLines: true)
        isDefined[number] = true
        rules.rules[number].body = try alternatives(depth: 0)
        guard reader.current == nil || reader.current == "\n" || reader.current == "\r" else {
            throw reader.unexpected("the end of the line")
        }
        skipSpace(andLines: true)
    }

    private mutating func alternatives(depth: Int) throws(InferenceError) -> Expression {
        var parts = [try sequence(depth: depth)]
        while reader.take("|") {
            skipSpace(andLines: true)
            parts.append(try sequence(depth: depth))
        }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func sequence(depth: Int) throws(InferenceError) -> Expression {
        var parts: [Expression] = []
        while let item = try item(depth: depth) {
            parts.append(try repeated(item, isNested: depth > 0))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func item(depth: Int) throws(InferenceError) -> Expression? {
        guard let scalar = reader.current else { return nil }
        var item: Expression
        switch scalar {
        case "\"":
            reader.advance()
            item = .text(try text())
        case "[":
            reader.advance()
            item = .characters(try characters())
        case ".":
            reader.advance()
            item = .characters(.all)
        case "(":
            guard depth < Self.maximumDepth else {
                throw reader.fault("more than \(Self.maximumDepth) levels of parentheses")
            }
            reader.advance()
            skipSpace(andLines: true)
            item = try alternatives(depth: depth + 1)
            guard reader.take(")") else { throw reader.unexpected("')'") }
        case "<", "!": throw reader.fault("tokens such as <think> are not supported in a grammar")
        case _ where Self.isNameScalar(scalar):
            let place = reader.position
            item = .rule(try self.number(of: try name(), referredToAt: place))
        default: return nil
        }
        skipSpace(andLines: depth > 0)
        return item
    }

    /// The item with the repetitions after it.
    private mutating func repeated(_ item: Expression, isNested: Bool) throws(InferenceError) -> Expression {
        var item = item
        var count = 0
        while let scalar = reader.current {
            switch scalar {
            case "*": item = .repetition(item, minimum: 0, maximum: nil)
            case "+": item = .repetition(item, minimum: 1, maximum: nil)
            case "?": item = .optional(item)
            case "{": item = try counted(item)
            default: return item
            }
            if scalar != "{" { reader.advance() }
            skipSpace(andLines: isNested)
            count += 1
            guard count <= Self.maximumDepth else { throw reader.fault("too many repetitions of a repetition") }
        }
        return item
    }

    private mutating func counted(_ item: Expression) throws(InferenceError) -> Expression {
        reader.advance()
        skipSpace()
        let minimum = try reader.count()
        skipSpace()
        var maximum: Int? = minimum
        if reader.take(",") {
            skipSpace()
            maximum = reader.current == "}" ? nil : try reader.count()
            skipSpace()
        }
        if let maximum, maximum < minimum { throw reader.fault("the counts {\(minimum),\(maximum)} are out of order") }
        guard reader.take("}") else { throw reader.unexpected("'}'") }
        return .repetition(item, minimum: minimum, maximum: maximum)
    }

    // MARK: Words

    private static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-": true
        default: false
        }
    }

    private mutating func name() throws(InferenceError) -> String {
        var name = ""
        while let scalar = reader.current, Self.isNameScalar(scalar) {
            name.unicodeScalars.append(scalar)
            reader.advance()
        }
        guard !name.isEmpty else { throw reader.unexpected("the name of a rule") }
        return name
    }

    private mutating func number(of name: String, referredToAt place: Int = 0) throws(InferenceError) -> Int {
        if let number = numbers[name] { return number }
        guard rules.rules.count < limits.rules else {
            throw InferenceError(.invalidArgument, "the grammar has more than \(limits.rules) rules")
        }
        let number = rules.add(name)
        numbers[name] = number
        firstReferences.append(place)
        isDefined.append(false)
        return number
    }

    private mutating func text() throws(InferenceError) -> String {
        var text = ""
        while let scalar = reader.current, scalar != "\"" { text.unicodeScalars.append(try character(scalar)) }
        guard reader.take("\"") else { throw reader.unexpected("'\"'") }
        return text
    }

    private mutating func characters() throws(InferenceError) -> ScalarSet {
        let isInverted = reader.take("^")
        var ranges: [ClosedRange<UInt32>] = []
        while let scalar = reader.current, scalar != "]" {
            let place = reader.position
            let first = try character(scalar)
            var last = first
            if reader.current == "-", let end = reader.next, end != "]" {
                reader.advance()
                last = try character(end)
                guard first <= last else { throw reader.fault("the range is out of order", at: place) }
            }
            ranges.append(first.value...last.value)
        }
        guard reader.take("]") else { throw reader.unexpected("']'") }
        return isInverted ? ScalarSet(ranges).inverted : ScalarSet(ranges)
    }

    /// The current character, or the one that an escape stands for.
    private mutating func character(_ scalar: Unicode.Scalar) throws(InferenceError) -> Unicode.Scalar {
        let place = reader.position
        reader.advance()
        guard scalar == "\\" else { return scalar }
        guard let escape = reader.current else { throw reader.unexpected("an escape") }
        reader.advance()
        switch escape {
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "\\", "\"", "[", "]": return escape
        case "x": return try reader.hexadecimal(2, at: place)
        case "u": return try reader.hexadecimal(4, at: place)
        case "U": return try reader.hexadecimal(8, at: place)
        default: throw reader.fault("the escape '\\\(String(escape).printable)' is unknown", at: place)
        }
    }

    /// Skips spaces and comments.
    private mutating func skipSpace(andLines: Bool = false) {
        while let scalar = reader.current {
            switch scalar {
            case " ", "\t": reader.advance()
            case "\n" where andLines, "\r" where andLines: reader.advance()
            case "#":
                while let comment = reader.current, comment != "\n", comment != "\r" { reader.advance() }
            default: return
            }
        }
    }
}
