// Builds the syntax tree of a template from its tokens.

import InferSupport

/// A recursive-descent parser of Jinja2's grammar.
struct Parser {
    /// The deepest nesting of statements and expressions. A pair of parentheses takes up to three levels.
    private static let maximumDepth = 400
    /// The greatest height of an expression's tree.
    private static let maximumHeight = 200

    private let tokens: [Token]
    private var index = 0
    private var depth = 0
    private var loopDepth = 0
    /// The names that are read in each macro around the current place.
    private var usedNames: [Set<String>] = []

    /// Parses `source`.
    static func statements(of source: String) throws(Fault) -> [Statement] {
        var parser = Parser(tokens: try Lexer.tokens(of: source))
        let statements = try parser.body(until: [])
        guard parser.current.kind == .end else { throw parser.unexpected() }
        return statements
    }

    private init(tokens: [Token]) { self.tokens = tokens }

    // MARK: Tokens

    private var current: Token { tokens[index] }

    private func peek() -> Token.Kind { index + 1 < tokens.count ? tokens[index + 1].kind : .end }

    private mutating func advance() { if index + 1 < tokens.count { index += 1 } }

    private func isName(_ name: String) -> Bool { current.kind == .name(name) }

    private func isMark(_ mark: String) -> Bool { current.kind == .mark(mark) }

    private mutating func takeName(_ name: String) -> Bool {
        guard isName(name) else { return false }
        advance()
        return true
    }

    private mutating func takeMark(_ mark: String) -> Bool {
        guard isMark(mark) else { return false }
        advance()
        return true
    }

    private mutating func expectMark(_ mark: String) throws(Fault) {
        guard takeMark(mark) else { throw unexpected(expected: "'\(mark)'") }
    }

    private mutating func expectName(_ name: String) throws(Fault) {
        guard takeName(name) else { throw unexpected(expected: "'\(name)'") }
    }

    private mutating func expectName() throws(Fault) -> String {
        guard case .name(let name) = current.kind else { throw unexpected(expected: "a name") }
        advance()
        return name
    }

    private mutating func expect(_ kind: Token.Kind, _ name: String) throws(Fault) {
        guard current.kind == kind else { throw unexpected(expected: name) }
        advance()
    }

    private func fault(_ message: String) -> Fault { Fault(message, line: current.line) }

    private func unexpected(expected: String? = nil) -> Fault {
        fault("unexpected \(current.description.printable)" + (expected.map { ", expected \($0)" } ?? ""))
    }

    private mutating func nested<Result>(
        _ parse: (inout Parser) throws(Fault) -> Result
    ) throws(Fault) -> Result {
        guard depth < Self.maximumDepth else {
            throw Fault("more than \(Self.maximumDepth) levels of nesting", line: current.line, kind: .limit)
        }
        depth += 1
        defer { depth -= 1 }
        return try parse(&self)
    }

    private func make(
        _ kind: Expression.Kind, line: Int? = nil, _ parts: [Expression] = []
    ) throws(Fault) -> Expression {
        let height = (parts.map(\.height).max() ?? 0) + 1
        guard height <= Self.maximumHeight else {
            throw Fault("an expression of more than \(Self.maximumHeight) levels", line: current.line, kind: .limit)
        }
        return Expression(kind, line: line ?? current.line, height: height)
    }

    // MARK: Statements

    /// Statements until a block whose name is one of `ends`; the name is the current token afterwards.
    private mutating func body(until ends: [String]) throws(Fault) -> [Statement] {
        try nested { (parser) throws(Fault) in
            var statements: [Statement] = []
            while true {
                let line = parser.current.line
                switch parser.current.kind {
                case .text(let text):
                    parser.advance()
                    statements.append(Statement(kind: .text(TemplateText(text)), line: line))
                case .outputBegin:
                    parser.advance()
                    let expression = try parser.tuple()
                    try parser.expect(.outputEnd, "'}}'")
                    statements.append(Statement(kind: .output(expression), line: line))
                case .blockBegin:
                    parser.advance()
                    if case .name(let name) = parser.current.kind, ends.contains(name) { return statements }
                    if let kind = try parser.statement() { statements.append(Statement(kind: kind, line: line)) }
                    try parser.expect(.blockEnd, "'%}'")
                case .end where ends.isEmpty: return statements
                case .end:
                    throw parser.fault(
                        "unexpected end of the template, expected " + ends.map { "'\($0)'" }.joined(separator: " or "))
                default: throw parser.unexpected()
                }
            }
        }
    }

    /// The rest of a block's tag, the statements in the block, and the name of the tag that ends it.
    private mutating func block(until ends: String...) throws(Fault) -> [Statement] {
        _ = takeMark(":")
        try expect(.blockEnd, "'%}'")
        return try body(until: ends)
    }

    private mutating func finishedBlock(until end: String) throws(Fault) -> [Statement] {
        let statements = try block(until: end)
        advance()
        return statements
    }

    private mutating func statement() throws(Fault) -> Statement.Kind? {
        guard case .name(let name) = current.kind else { throw fault("expected the name of a tag") }
        switch name {
        case "if": return try condition()
        case "for": return try loop()
        case "set": return try assignment()
        case "macro":
            advance()
            return .macro(try macro(named: try expectName(), until: "endmacro"))
        case "call": return try call()
        case "filter":
            advance()
            let filter = try filters(of: nil, startsInline: true)
            return .filter(filter, body: try finishedBlock(until: "endfilter"))
        case "with": return try with()
        case "generation":
            advance()
            return .scope(try finishedBlock(until: "endgeneration"))
        case "block":
            advance()
            let name = try expectName()
            _ = takeName("scoped")
            let body = try finishedBlock(until: "endblock")
            _ = takeName(name)
            return .scope(body)
        case "do":
            advance()
            return .evaluation(try tuple())
        case "print":
            advance()
            return .output(try tuple())
        case "break", "continue":
            guard loopDepth > 0 else { throw fault("'\(name)' outside a loop") }
            advance()
            return name == "break" ? .breakLoop : .continueLoop
        case "extends", "include", "import", "from", "autoescape", "trans":
            throw fault("the tag '\(name)' is not supported")
        default: throw fault("unknown tag '\(name.printable)'")
        }
    }

    private mutating func condition() throws(Fault) -> Statement.Kind {
        var branches: [(condition: Expression, body: [Statement])] = []
        repeat {
            advance()
            let condition = try tuple(allowsConditional: false)
            branches.append((condition, try block(until: "elif", "else", "endif")))
        } while isName("elif")
        var otherwise: [Statement] = []
        if takeName("else") { otherwise = try block(until: "endif") }
        try expectName("endif")
        return .condition(branches, otherwise: otherwise)
    }

    private mutating func loop() throws(Fault) -> Statement.Kind {
        advance()
        let target = try target(endsBeforeIn: true)
        try expectName("in")
        let sequence = try tuple(allowsConditional: false)
        let condition = takeName("if") ? try expression() : nil
        let isRecursive = takeName("recursive")
        loopDepth += 1
        let body = try block(until: "endfor", "else")
        loopDepth -= 1
        var otherwise: [Statement] = []
        if takeName("else") { otherwise = try block(until: "endfor") }
        try expectName("endfor")
        return .loop(
            Statement.Loop(
                target: target, sequence: sequence, condition: condition, isRecursive: isRecursive, body: body,
                otherwise: otherwise))
    }

    private mutating func assignment() throws(Fault) -> Statement.Kind {
        advance()
        let target = try target(allowsAttribute: true)
        if takeMark("=") { return .assignment(target, try tuple()) }
        let filter = isMark("|") ? try filters(of: nil) : nil
        return .blockAssignment(target, filter: filter, body: try finishedBlock(until: "endset"))
    }

    private mutating func call() throws(Fault) -> Statement.Kind {
        advance()
        var parameters: [(name: String, standard: Expression?)] = []
        usedNames.append([])
        if isMark("(") { parameters = try signature() }
        let names = usedNames.removeLast()
        let call = try expression()
        guard case .call = call.kind else { throw fault("expected a call") }
        return .call(call, caller: try macro(named: "caller", parameters, names, until: "endcall"))
    }

    private mutating func macro(named name: String, until end: String) throws(Fault) -> Macro {
        usedNames.append([])
        let parameters = try signature()
        return try macro(named: name, parameters, usedNames.removeLast(), until: end)
    }

    private mutating func macro(
        named name: String, _ parameters: [(name: String, standard: Expression?)], _ names: Set<String>,
        until end: String
    ) throws(Fault) -> Macro {
        usedNames.append(names)
        let outerDepth = loopDepth
        loopDepth = 0
        defer { loopDepth = outerDepth }
        let body = try finishedBlock(until: end)
        let names = usedNames.removeLast()
        if !usedNames.isEmpty { usedNames[usedNames.count - 1].formUnion(names) }
        return Macro(name: name, parameters: parameters, body: body, usedNames: names)
    }

    private mutating func signature() throws(Fault) -> [(name: String, standard: Expression?)] {
        var parameters: [(name: String, standard: Expression?)] = []
        try expectMark("(")
        while !isMark(")") {
            if !parameters.isEmpty { try expectMark(",") }
            let name = try expectName()
            if takeMark("=") {
                parameters.append((name, try expression()))
            } else if parameters.last?.standard != nil {
                throw fault("a parameter without a default follows one with a default")
            } else {
                parameters.append((name, nil))
            }
        }
        advance()
        return parameters
    }

    private mutating func with() throws(Fault) -> Statement.Kind {
        advance()
        var assignments: [(target: Target, value: Expression)] = []
        while current.kind != .blockEnd {
            if !assignments.isEmpty { try expectMark(",") }
            let target = try target()
            try expectMark("=")
            assignments.append((target, try expression()))
        }
        return .with(assignments, body: try finishedBlock(until: "endwith"))
    }

    // MARK: Targets

    private mutating func target(allowsAttribute: Bool = false, endsBeforeIn: Bool = false) throws(Fault) -> Target {
        var parts: [Target] = []
        var isTuple = false
        while true {
            if case .name("in") = current.kind, endsBeforeIn, isTuple { break }
            if isTuple, isMark("=") || current.kind == .blockEnd || isMark(")") { break }
            parts.append(try singleTarget(allowsAttribute))
            guard takeMark(",") else { break }
            isTuple = true
        }
        return isTuple ? .tuple(parts) : parts[0]
    }

    private mutating func singleTarget(_ allowsAttribute: Bool) throws(Fault) -> Target {
        if takeMark("(") {
            let inner = try nested { (parser) throws(Fault) in try parser.target(allowsAttribute: allowsAttribute) }
            try expectMark(")")
            return inner
        }
        let line = current.line
        let name = try expectName()
        guard !Self.constants.contains(name) else { throw Fault("cannot assign to '\(name)'", line: line) }
        if allowsAttribute, takeMark(".") { return .attribute(name, try expectName()) }
        return .name(name)
    }

    private static let constants: Set = ["true", "false", "True", "False", "none", "None"]

    // MARK: Expressions

    /// An expression, or several with commas between them, which are a tuple.
    private mutating func tuple(
        allowsConditional: Bool = true, isParenthesized: Bool = false
    ) throws(Fault) -> Expression {
        let line = current.line
        var parts: [Expression] = []
        var isTuple = false
        while true {
            if isTupleEnd { break }
            parts.append(try expression(allowsConditional: allowsConditional))
            guard takeMark(",") else { break }
            isTuple = true
        }
        if !isTuple {
            if let only = parts.first { return only }
            guard isParenthesized else { throw unexpected(expected: "an expression") }
        }
        return try make(.tuple(parts), line: line, parts)
    }

    private var isTupleEnd: Bool {
        switch current.kind {
        case .outputEnd, .blockEnd, .mark(")"), .end, .name("recursive"): true
        default: false
        }
    }

    private mutating func expression(allowsConditional: Bool = true) throws(Fault) -> Expression {
        try nested { (parser) throws(Fault) in
            var result = try parser.disjunction()
            while allowsConditional, parser.isName("if") {
                let line = parser.current.line
                parser.advance()
                let condition = try parser.disjunction()
                let otherwise = parser.takeName("else") ? try parser.expression() : nil
                result = try parser.make(
                    .conditional(condition: condition, then: result, otherwise: otherwise), line: line,
                    [condition, result] + (otherwise.map { [$0] } ?? []))
            }
            return result
        }
    }

    private mutating func disjunction() throws(Fault) -> Expression {
        var left = try conjunction()
        while takeName("or") {
            let right = try conjunction()
            left = try make(.or(left, right), line: left.line, [left, right])
        }
        return left
    }

    private mutating func conjunction() throws(Fault) -> Expression {
        var left = try negation()
        while takeName("and") {
            let right = try negation()
            left = try make(.and(left, right), line: left.line, [left, right])
        }
        return left
    }

    private mutating func negation() throws(Fault) -> Expression {
        guard isName("not") else { return try comparison() }
        let line = current.line
        advance()
        let operand = try nested { (parser) throws(Fault) in try parser.negation() }
        return try make(.not(operand), line: line, [operand])
    }

    private mutating func comparison() throws(Fault) -> Expression {
        let first = try sum()
        var operands: [(operation: Expression.Comparison, operand: Expression)] = []
        while true {
            let operation: Expression.Comparison
            if case .mark(let mark) = current.kind, let comparison = Expression.Comparison(rawValue: mark) {
                operation = comparison
            } else if isName("in") {
                operation = .contained
            } else if isName("not"), peek() == .name("in") {
                advance()
                operation = .notContained
            } else {
                break
            }
            advance()
            operands.append((operation, try sum()))
        }
        if operands.isEmpty { return first }
        return try make(.comparison(first, operands), line: first.line, [first] + operands.map(\.operand))
    }

    private mutating func sum() throws(Fault) -> Expression {
        var left = try concatenation()
        while case .mark(let mark) = current.kind, mark == "+" || mark == "-" {
            let line = current.line
            advance()
            let right = try concatenation()
            left = try make(.arithmetic(mark == "+" ? .add : .subtract, left, right), line: line, [left, right])
        }
        return left
    }

    private mutating func concatenation() throws(Fault) -> Expression {
        var parts = [try product()]
        while takeMark("~") { parts.append(try product()) }
        return parts.count == 1 ? parts[0] : try make(.concatenation(parts), line: parts[0].line, parts)
    }

    private mutating func product() throws(Fault) -> Expression {
        var left = try power()
        while case .mark(let mark) = current.kind, let operation = Expression.Arithmetic(rawValue: mark),
            [.multiply, .divide, .floorDivide, .remainder].contains(operation)
        {
            let line = current.line
            advance()
            let right = try power()
            left = try make(.arithmetic(operation, left, right), line: line, [left, right])
        }
        return left
    }

    private mutating func power() throws(Fault) -> Expression {
        var left = try unary()
        while isMark("**") {
            let line = current.line
            advance()
            let right = try unary()
            left = try make(.arithmetic(.power, left, right), line: line, [left, right])
        }
        return left
    }

    private mutating func unary(allowsFilter: Bool = true) throws(Fault) -> Expression {
        try nested { (parser) throws(Fault) in
            let line = parser.current.line
            var result: Expression
            if parser.takeMark("-") {
                let operand = try parser.unary(allowsFilter: false)
                result = try parser.make(.negative(operand), line: line, [operand])
            } else if parser.takeMark("+") {
                let operand = try parser.unary(allowsFilter: false)
                result = try parser.make(.positive(operand), line: line, [operand])
            } else {
                result = try parser.primary()
            }
            result = try parser.postfix(result)
            return allowsFilter ? try parser.filtersAndTests(result) : result
        }
    }

    private mutating func primary() throws(Fault) -> Expression {
        let line = current.line
        switch current.kind {
        case .name(let name):
            advance()
            switch name {
            case "true", "True": return try make(.bool(true), line: line)
            case "false", "False": return try make(.bool(false), line: line)
            case "none", "None": return try make(.none, line: line)
            default:
                if !usedNames.isEmpty { usedNames[usedNames.count - 1].insert(name) }
                return try make(.name(name), line: line)
            }
        case .string(var text):
            advance()
            while case .string(let more) = current.kind {
                text += more
                advance()
            }
            return try make(.string(TemplateText(text)), line: line)
        case .integer(let value):
            advance()
            return try make(.integer(value), line: line)
        case .float(let value):
            advance()
            return try make(.float(value), line: line)
        case .mark("("):
            advance()
            let inner = try nested { (parser) throws(Fault) in try parser.tuple(isParenthesized: true) }
            try expectMark(")")
            return inner
        case .mark("["): return try list()
        case .mark("{"): return try dictionary()
        default: throw unexpected(expected: "an expression")
        }
    }

    private mutating func list() throws(Fault) -> Expression {
        let line = current.line
        advance()
        var elements: [Expression] = []
        while !isMark("]") {
            if !elements.isEmpty { try expectMark(",") }
            if isMark("]") { break }
            elements.append(try expression())
        }
        advance()
        return try make(.list(elements), line: line, elements)
    }

    private mutating func dictionary() throws(Fault) -> Expression {
        let line = current.line
        advance()
        var members: [(key: Expression, value: Expression)] = []
        while !isMark("}") {
            if !members.isEmpty { try expectMark(",") }
            if isMark("}") { break }
            let key = try expression()
            try expectMark(":")
            members.append((key, try expression()))
        }
        advance()
        return try make(.dictionary(members), line: line, members.flatMap { [$0.key, $0.value] })
    }

    private mutating func postfix(_ operand: Expression) throws(Fault) -> Expression {
        var result = operand
        while true {
            let line = current.line
            if takeMark(".") {
                if case .integer(let index) = current.kind {
                    advance()
                    let key = try make(.integer(index), line: line)
                    result = try make(.item(result, key), line: line, [result])
                } else {
                    result = try make(.attribute(result, try expectName()), line: line, [result])
                }
            } else if takeMark("[") {
                result = try subscripted(result, line)
            } else if isMark("(") {
                let arguments = try arguments()
                result = try make(.call(result, arguments), line: line, [result] + arguments.all)
            } else {
                return result
            }
        }
    }

    private mutating func subscripted(_ operand: Expression, _ line: Int) throws(Fault) -> Expression {
        var start: Expression?
        if !isMark(":") {
            let key = try tupleOfSubscript()
            if takeMark("]") { return try make(.item(operand, key), line: line, [operand, key]) }
            start = key
        }
        try expectMark(":")
        let stop = isMark("]") || isMark(":") ? nil : try expression()
        var step: Expression?
        if takeMark(":"), !isMark("]") { step = try expression() }
        try expectMark("]")
        return try make(
            .slice(operand, start: start, stop: stop, step: step), line: line,
            [operand] + [start, stop, step].compactMap { $0 })
    }

    private mutating func tupleOfSubscript() throws(Fault) -> Expression {
        let first = try expression()
        guard isMark(",") else { return first }
        var parts = [first]
        while takeMark(","), !isMark("]") { parts.append(try expression()) }
        return try make(.tuple(parts), line: first.line, parts)
    }

    private mutating func arguments() throws(Fault) -> Arguments {
        var arguments = Arguments()
        var isFirst = true
        try expectMark("(")
        while !isMark(")") {
            if !isFirst {
                try expectMark(",")
                if isMark(")") { break }
            }
            isFirst = false
            if takeMark("**") {
                guard arguments.keywordRest == nil else { throw fault("** occurs twice in a call") }
                arguments.keywordRest = try expression()
            } else if takeMark("*") {
                guard arguments.rest == nil, arguments.keywordRest == nil else {
                    throw fault("* occurs twice or after ** in a call")
                }
                arguments.rest = try expression()
            } else if case .name(let name) = current.kind, peek() == .mark("=") {
                guard arguments.keywordRest == nil else { throw fault("an argument after **") }
                advance()
                advance()
                arguments.keywords.append((name, try expression()))
            } else {
                guard arguments.keywords.isEmpty, arguments.rest == nil, arguments.keywordRest == nil else {
                    throw fault("a positional argument after a keyword argument")
                }
                arguments.positional.append(try expression())
            }
        }
        advance()
        return arguments
    }

    private mutating func filtersAndTests(_ operand: Expression) throws(Fault) -> Expression {
        var result = operand
        while true {
            if isMark("|") {
                result = try filters(of: result)
            } else if isName("is") {
                result = try test(of: result)
            } else if isMark("(") {
                let line = current.line
                let arguments = try arguments()
                result = try make(.call(result, arguments), line: line, [result] + arguments.all)
            } else {
                return result
            }
        }
    }

    /// One or more filters. Without an operand, they apply to the text of a block.
    private mutating func filters(of operand: Expression?, startsInline: Bool = false) throws(Fault) -> Expression {
        var result = operand
        var isInline = startsInline
        while isInline || isMark("|") {
            let line = current.line
            if !isInline { advance() }
            isInline = false
            let name = try dottedName()
            let arguments = isMark("(") ? try arguments() : Arguments()
            result = try make(
                .filter(result, name, arguments), line: line, (result.map { [$0] } ?? []) + arguments.all)
        }
        guard let result else { throw unexpected(expected: "a filter") }
        return result
    }

    private mutating func dottedName() throws(Fault) -> String {
        var name = try expectName()
        while takeMark(".") { name += "." + (try expectName()) }
        return name
    }

    private mutating func test(of operand: Expression) throws(Fault) -> Expression {
        let line = current.line
        advance()
        let isNegated = takeName("not")
        let name = try dottedName()
        var arguments = Arguments()
        switch current.kind {
        case .mark("("): arguments = try self.arguments()
        case .name("else"), .name("or"), .name("and"), .name("if"): break
        case .name("is"): throw fault("tests cannot be chained with 'is'")
        case .name, .string, .integer, .float, .mark("["), .mark("{"):
            arguments.positional = [try postfix(try primary())]
        default: break
        }
        return try make(
            .test(operand, name, arguments, isNegated: isNegated), line: line, [operand] + arguments.all)
    }
}
