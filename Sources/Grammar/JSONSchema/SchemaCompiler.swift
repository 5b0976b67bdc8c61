// From a JSON schema to the rules of a grammar.

import InferSupport

/// Compiles a JSON schema. A rule stands for the values for which a list of schemas holds; so schemas that refer to themselves become
/// recursive rules.
struct SchemaCompiler {
    private var document: SchemaDocument
    private var alternatives = SchemaAlternatives()
    private let style: JSONStyle
    private var budget: CompilationBudget
    private var rules = RuleSet()
    private let json: JSONRules
    /// The rule of each list of schemas.
    private var numbers: [[SchemaID]: Int] = [:]
    /// The rules whose bodies are still missing.
    private var pending: [(rule: Int, schemas: [SchemaID])] = []
    /// The contents of strings that have been compiled.
    private var stringContents: [StringRange: Automaton] = [:]

    /// The rules of `schema`. Rule 0 is the whole text.
    static func rules(
        of schema: JSONValue, _ style: JSONStyle, budget: inout CompilationBudget
    ) throws(InferenceError) -> RuleSet {
        var compiler = SchemaCompiler(schema, style, budget)
        let root = try compiler.document.add(schema, at: "#")
        compiler.rules.rules[0].body = try compiler.expression(of: [root])
        while let (rule, schemas) = compiler.pending.popLast() {
            compiler.rules.rules[rule].body = try compiler.body(of: schemas)
        }
        budget = compiler.budget
        return compiler.rules
    }

    private init(_ schema: JSONValue, _ style: JSONStyle, _ budget: CompilationBudget) {
        document = SchemaDocument(schema, budget.limits)
        self.style = style
        self.budget = budget
        _ = rules.add("the whole text")
        json = JSONRules(style, &rules)
    }

    // MARK: Values

    /// A value for which all of `schemas` hold.
    private mutating func expression(of schemas: [SchemaID]) throws(InferenceError) -> Expression {
        let schemas = Set(schemas).sorted()
        guard !schemas.isEmpty else { return json.value }
        if let known = numbers[schemas] { return .rule(known) }
        guard rules.rules.count < budget.limits.rules else {
            throw InferenceError(.invalidArgument, "the JSON schema has more than \(budget.limits.rules) rules")
        }
        let rule = rules.add(try document.schema(schemas[0]).path)
        numbers[schemas] = rule
        pending.append((rule, schemas))
        return .rule(rule)
    }

    private mutating func body(of schemas: [SchemaID]) throws(InferenceError) -> Expression {
        var parts: [Expression] = []
        for alternative in try alternatives.find(schemas, in: &document, budget: &budget) {
            try checkExclusiveChoices(alternative)
            let schema = try JointSchema(alternative, in: &document, style)
            if schema.isUnlimited { return json.value }
            parts += try expressions(of: schema)
        }
        return .choice(parts)
    }

    /// The values of each type.
    private mutating func expressions(of schema: JointSchema) throws(InferenceError) -> [Expression] {
        if let values = schema.values {
            var parts: [Expression] = []
            for value in values where try allows(value, schema) { parts.append(json.expression(of: value)) }
            return parts
        }
        var parts: [Expression] = []
        if schema.types.contains(.null) { parts.append(.text("null")) }
        if schema.types.contains(.boolean) { parts += [.text("true"), .text("false")] }
        if !schema.types.isDisjoint(with: .number) {
            let integersOnly = !schema.types.contains(.fraction)
            if schema.numbers.isUnlimited {
                parts.append(integersOnly ? JSONRules.integer : json.number)
            } else {
                parts.append(.automaton(try numbers(schema, integersOnly: integersOnly)))
            }
        }
        if schema.types.contains(.string) { parts.append(try string(schema)) }
        if schema.types.contains(.array) { parts.append(try array(schema)) }
        if schema.types.contains(.object) { parts.append(try object(schema)) }
        return parts
    }

    private mutating func numbers(
        _ schema: JointSchema, integersOnly: Bool
    ) throws(InferenceError) -> Automaton {
        do throws(InferenceError) {
            return try schema.numbers.automaton(integersOnly: integersOnly, budget: &budget)
        } catch {
            throw fault(schema, error.message)
        }
    }

    private func fault(_ schema: JointSchema, _ message: String) -> InferenceError {
        InferenceError(.invalidArgument, "JSON schema, \(schema.path.printable): \(message)")
    }

    // MARK: Strings

    private mutating func string(_ schema: JointSchema) throws(InferenceError) -> Expression {
        let range = schema.strings
        if range.isUnlimited { return json.string }
        if let maximum = range.maximum, maximum < range.minimum { return .never }
        if range.patterns.isEmpty && range.formats.isEmpty {
            let content = Expression.repetition(JSONRules.character, minimum: range.minimum, maximum: range.maximum)
            return .sequence([.text("\""), content, .text("\"")])
        }
        return .sequence([.text("\""), .automaton(try content(of: schema)), .text("\"")])
    }

    /// The strings that a schema allows, as they stand between the quotes.
    private mutating func content(of schema: JointSchema) throws(InferenceError) -> Automaton {
        let range = schema.strings
        if let known = stringContents[range] { return known }
        var content = try length(minimum: range.minimum, maximum: range.maximum)
        for (source, isFormat) in range.patterns.sorted().map({ ($0, false) })
            + range.formats.sorted().map({ ($0, true) })
        {
            do throws(InferenceError) {
                let pattern = isFormat ? StringFormats.pattern(source) ?? "" : source
                let whole = try RegularExpressionParser.expression(of: pattern, "the pattern", limits: budget.limits)
                let expression = isFormat ? whole : whole.anywhere
                let automaton = try Automaton(expression, encoding: .jsonString, budget: &budget)
                content = try content.intersection(automaton, budget: &budget)
            } catch {
                throw fault(schema, "the \(isFormat ? "format" : "pattern") \"\(source.printable)\": \(error.message)")
            }
        }
        stringContents[range] = content
        return content
    }

    private mutating func length(minimum: Int, maximum: Int?) throws(InferenceError) -> Automaton {
        let expression = Expression.repetition(.characters(.all), minimum: minimum, maximum: maximum)
        return try Automaton(expression, encoding: .jsonString, budget: &budget)
    }

    // MARK: Arrays and objects

    private mutating func array(_ schema: JointSchema) throws(InferenceError) -> Expression {
        if schema.hasAnyItems { return json.array }
        let (minimum, maximum) = (schema.minimumItems, schema.maximumItems ?? .max)
        guard minimum <= maximum else { return .never }
        guard maximum > 0 else { return json.brackets("[", .never, "]", canBeEmpty: true) }
        var network = Expression.Network()
        var node = 0
        let end = network.addNode()
        network.last = end
        // The elements at places of their own. The first is one of these: it has no comma before it.
        let first = schema.prefixItems.isEmpty ? [schema.items] : schema.prefixItems
        for (index, schemas) in first.prefix(maximum).enumerated() {
            let element = try expression(of: schemas)
            let next = network.addNode()
            network.connect(node, to: next, index == 0 ? element : .sequence([json.comma, element]))
            if index + 1 >= minimum { network.connect(next, to: end) }
            node = next
        }
        if first.count < maximum {
            let rest = Expression.sequence([json.comma, try expression(of: schema.items)])
            network.connect(
                node, to: end,
                .repetition(
                    rest, minimum: max(minimum - first.count, 0), maximum: schema.maximumItems.map { $0 - first.count })
            )
        }
        return json.brackets("[", .network(network), "]", canBeEmpty: minimum == 0)
    }

    /// An object: the named properties in their order, each of which may be left out unless it is required, and then any others.
    private mutating func object(_ schema: JointSchema) throws(InferenceError) -> Expression {
        if schema.hasAnyProperties { return json.object }
        var network = Expression.Network()
        network.last = network.addNode()
        // Where no member has been written yet, and where some have; nil where that cannot be.
        var (none, some): (Int?, Int?) = (0, nil)
        func add(_ member: Expression, _ network: inout Expression.Network) -> (begin: Int, end: Int) {
            let (begin, end) = (network.addNode(), network.addNode())
            if let none { network.connect(none, to: begin) }
            if let some { network.connect(some, to: begin, json.comma) }
            network.connect(begin, to: end, member)
            return (begin, end)
        }
        for (name, schemas) in schema.properties {
            let member = Expression.sequence([json.key(name), try expression(of: schemas)])
            let (_, end) = add(member, &network)
            if schema.required.contains(name) {
                none = nil
            } else if let some {
                network.connect(some, to: end)
            }
            some = end
        }
        if let schemas = schema.additionalProperties {
            let key = try undeclaredKey(schema.properties.map(\.name))
            let (begin, end) = add(.sequence([key, json.colon, try expression(of: schemas)]), &network)
            network.connect(end, to: begin, json.comma)
            if let some { network.connect(some, to: end) }
            some = end
        }
        if let some { network.connect(some, to: network.last) }
        return json.brackets("{", .network(network), "}", canBeEmpty: schema.required.isEmpty)
    }

    /// A key that is none of `names`.
    private mutating func undeclaredKey(_ names: [String]) throws(InferenceError) -> Expression {
        guard !names.isEmpty else { return json.string }
        let spellings = names.map { name in
            Expression.literal(Array(JSONValue.string(name).description.utf8.dropFirst().dropLast()))
        }
        let declared = try Automaton(.choice(spellings), encoding: .jsonString, budget: &budget)
        let keys = try length(minimum: 0, maximum: nil).subtracting(declared, budget: &budget)
        return .sequence([.text("\""), .automaton(keys), .text("\"")])
    }

    // MARK: Checks

    /// Whether the keywords besides `enum` and `const` allow a value of theirs.
    private mutating func allows(_ value: JSONValue, _ schema: JointSchema) throws(InferenceError) -> Bool {
        guard !schema.types.isDisjoint(with: JSONTypes(of: value)) else { return false }
        switch value {
        case .string(let text) where !schema.strings.isUnlimited:
            return try content(of: schema).accepts(JSONValue.string(text).description.utf8.dropFirst().dropLast())
        case .integer, .number:
            guard !schema.numbers.isUnlimited, let number = DecimalNumber(value) else { return true }
            return try numbers(schema, integersOnly: false).accepts(number.text.utf8)
        case .array where !schema.hasAnyItems, .object where !schema.hasAnyProperties:
            throw fault(
                schema, "\"enum\" or \"const\" with arrays or objects beside keywords for these is not supported")
        default: return true
        }
    }

    /// Refuses `oneOf` unless it is certain that no value fits two of its schemas. Then it is the same as `anyOf`.
    private mutating func checkExclusiveChoices(_ schemas: [SchemaID]) throws(InferenceError) {
        for number in schemas {
            let schema = try document.schema(number)
            for (index, one) in schema.exclusiveChoice.enumerated() {
                for other in schema.exclusiveChoice.dropFirst(index + 1) where try !isImpossible([one, other]) {
                    throw schema.fault(
                        "\"oneOf\" is supported only if no value can fit two of its schemas, by their types or by a required "
                            + "property with different values; use \"anyOf\"")
                }
            }
        }
    }

    /// Whether it is certain that no value fits all of `schemas`.
    private mutating func isImpossible(_ schemas: [SchemaID], depth: Int = 0) throws(InferenceError) -> Bool {
        for alternative in try alternatives.find(schemas, in: &document, budget: &budget) {
            let schema = try JointSchema(alternative, in: &document, style)
            if schema.types.isEmpty { continue }
            if schema.values?.allSatisfy({ schema.types.isDisjoint(with: JSONTypes(of: $0)) }) ?? false { continue }
            guard schema.types == .object, depth < 3 else { return false }
            var hasImpossibleProperty = false
            for (name, schemas) in schema.properties where schema.required.contains(name) && !hasImpossibleProperty {
                hasImpossibleProperty = schemas.isEmpty ? false : try isImpossible(schemas, depth: depth + 1)
            }
            guard hasImpossibleProperty else { return false }
        }
        return true
    }
}

extension Expression {
    /// The texts in which one of this expression's is contained.
    fileprivate var anywhere: Expression {
        let any = Expression.repetition(.characters(.all), minimum: 0, maximum: nil)
        return .sequence([any, self, any])
    }
}
