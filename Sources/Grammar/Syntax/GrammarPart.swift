// Grammars that are put together from texts and JSON schemas.

package import InferSupport

/// A set of texts, put together from others.
package indirect enum GrammarPart: Hashable, Sendable {
    /// This text.
    case text(String)
    /// Any text in which none of these occurs.
    case textWithout([String])
    /// A text that matches the regular expression.
    case regularExpression(String)
    /// The JSON text of a value that this schema allows.
    case json(JSONValue)
    /// The parts one after the other.
    case sequence([GrammarPart])
    /// One of these.
    case choice([GrammarPart])

    /// The part, or nothing.
    package static func optional(_ part: GrammarPart) -> GrammarPart { .choice([part, .sequence([])]) }
}

// MARK: As JSON

extension GrammarPart {
    /// The part as an object with one member, by which it can be made again.
    var jsonValue: JSONValue {
        switch self {
        case .text(let text): ["text": .string(text)]
        case .textWithout(let marks): ["textWithout": .array(marks.map(JSONValue.string))]
        case .regularExpression(let source): ["regularExpression": .string(source)]
        case .json(let schema): ["json": schema]
        case .sequence(let parts): ["sequence": .array(parts.map(\.jsonValue))]
        case .choice(let parts): ["choice": .array(parts.map(\.jsonValue))]
        }
    }

    /// The part of such an object; nil for anything else.
    init?(_ json: JSONValue) {
        guard let object = json.object, let member = object.members.first, object.members.count == 1 else { return nil }
        func all<Element>(_ make: (JSONValue) -> Element?) -> [Element]? {
            guard let elements = member.value.array else { return nil }
            let made = elements.compactMap(make)
            return made.count == elements.count ? made : nil
        }
        let part: GrammarPart? =
            switch member.key {
            case "text": member.value.string.map(GrammarPart.text)
            case "textWithout": all(\.string).map(GrammarPart.textWithout)
            case "regularExpression": member.value.string.map(GrammarPart.regularExpression)
            case "json": .json(member.value)
            case "sequence": all(GrammarPart.init).map(GrammarPart.sequence)
            case "choice": all(GrammarPart.init).map(GrammarPart.choice)
            default: nil
            }
        guard let part else { return nil }
        self = part
    }
}

// MARK: Compiling

extension RuleSet {
    /// The expression for a part. Schemas add rules.
    mutating func expression(
        of part: GrammarPart, _ style: JSONStyle, _ limits: GrammarLimits, budget: inout CompilationBudget
    ) throws(InferenceError) -> Expression {
        switch part {
        case .text(let text): return .text(text)
        case .textWithout(let marks): return .network(Expression.Network(avoiding: marks))
        case .regularExpression(let source):
            let expression = try RegularExpressionParser.expression(
                of: source, "the regular expression", limits: limits)
            return .automaton(try Automaton(expression, encoding: .utf8, budget: &budget))
        case .json(let schema):
            let first = rules.count
            for rule in try SchemaCompiler.rules(of: schema, style, budget: &budget).rules {
                _ = add(rule.name, rule.body.movingRules(by: first))
            }
            return .rule(first)
        case .sequence(let parts), .choice(let parts):
            var expressions: [Expression] = []
            for part in parts { expressions.append(try expression(of: part, style, limits, budget: &budget)) }
            if case .sequence = part { return .sequence(expressions) }
            return .choice(expressions)
        }
    }
}

extension Expression.Network {
    /// The texts in which none of `patterns` occurs. A node is the longest beginning of a pattern that the text ends with (Aho and Corasick,
    /// "Efficient string matching", 1975).
    fileprivate init(avoiding patterns: [String]) {
        self.init()
        let patterns = patterns.filter { !$0.isEmpty }.map { Array($0.unicodeScalars) }
        let beginnings = Set([[]] + patterns.flatMap { pattern in pattern.indices.map { Array(pattern[..<$0]) } })
        var nodes: [[Unicode.Scalar]: Int] = [[]: 0]
        for beginning in beginnings.sorted(by: { $0.lexicographicallyPrecedes($1) }) where !beginning.isEmpty {
            nodes[beginning] = addNode()
        }
        let end = addNode()
        for (beginning, node) in nodes.sorted(by: { $0.value < $1.value }) {
            var others = ScalarSet.all
            for scalar in Set(patterns.joined()).sorted() {
                let text = beginning + [scalar]
                others = others.subtracting(ScalarSet(scalar))
                guard !patterns.contains(where: { text.suffix($0.count).elementsEqual($0) }) else { continue }
                let target = (0...text.count).lazy.map { Array(text.dropFirst($0)) }.first { beginnings.contains($0) }
                connect(node, to: nodes[target ?? []] ?? 0, .characters(ScalarSet(scalar)))
            }
            connect(node, to: 0, .characters(others))
            connect(node, to: end)
        }
        last = end
    }
}

extension Expression {
    /// The expression with the numbers of all rules raised.
    fileprivate func movingRules(by distance: Int) -> Expression {
        switch self {
        case .rule(let rule): return .rule(rule + distance)
        case .sequence(let parts): return .sequence(parts.map { $0.movingRules(by: distance) })
        case .choice(let parts): return .choice(parts.map { $0.movingRules(by: distance) })
        case .repetition(let body, let minimum, let maximum):
            return .repetition(body.movingRules(by: distance), minimum: minimum, maximum: maximum)
        case .network(let network): return .network(network.mapExpressions { $0.movingRules(by: distance) })
        case .literal, .bytes, .characters, .automaton, .beginning, .end: return self
        }
    }
}
