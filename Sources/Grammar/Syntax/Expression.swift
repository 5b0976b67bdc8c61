// The intermediate grammar: what JSON schemas, regular expressions and GBNF are compiled to.

/// A set of texts. Texts are bytes; characters are written in the encoding of the automaton that the expression is compiled to.
indirect enum Expression: Sendable {
    /// These bytes.
    case literal([UInt8])
    /// One byte of the set.
    case bytes(ByteSet)
    /// One character of the set.
    case characters(ScalarSet)
    /// A text that the automaton accepts. It has no calls.
    case automaton(Automaton)
    /// A text along a path of the network.
    case network(Network)
    /// The parts one after the other. Without parts, the empty text.
    case sequence([Expression])
    /// One of these. Of none, no text at all.
    case choice([Expression])
    /// The same expression several times; without a maximum, any number of times.
    case repetition(Expression, minimum: Int, maximum: Int?)
    /// A text of the rule with this number.
    case rule(Int)
    /// The empty text, at the beginning of the whole text only.
    case beginning
    /// The empty text, at the end of the whole text only.
    case end

    /// The empty text.
    static let empty = Expression.sequence([])
    /// No text.
    static let never = Expression.choice([])

    /// The bytes of `text`.
    static func text(_ text: String) -> Expression { .literal(Array(text.utf8)) }

    /// The expression, or nothing.
    static func optional(_ expression: Expression) -> Expression { .repetition(expression, minimum: 0, maximum: 1) }
}

extension Expression {
    /// Nodes with expressions on the edges between them. It says what sequences and choices can say only at great length, such as
    /// members of which each may be left out.
    struct Network: Sendable {
        struct Edge: Sendable {
            var source: Int
            var target: Int
            var expression: Expression
        }

        /// The number of nodes. Node 0 is the first.
        private(set) var nodeCount = 1
        /// The edges.
        private(set) var edges: [Edge] = []
        /// The node at which texts end.
        var last = 0

        /// Adds a node.
        mutating func addNode() -> Int {
            nodeCount += 1
            return nodeCount - 1
        }

        /// Adds an edge.
        mutating func connect(_ source: Int, to target: Int, _ expression: Expression = .empty) {
            edges.append(Edge(source: source, target: target, expression: expression))
        }

        /// The network with other expressions on its edges.
        func mapExpressions(_ transform: (Expression) -> Expression) -> Network {
            var result = self
            for index in edges.indices { result.edges[index].expression = transform(edges[index].expression) }
            return result
        }
    }
}

/// The rules of a grammar.
struct RuleSet: Sendable {
    /// A rule with its name in messages.
    struct Rule: Sendable {
        var name: String
        var body: Expression
    }

    /// The rules. Rule 0 is the whole text.
    var rules: [Rule] = []

    /// Adds a rule.
    ///
    /// - Returns: Its number.
    mutating func add(_ name: String, _ body: Expression = .never) -> Int {
        rules.append(Rule(name: name, body: body))
        return rules.count - 1
    }
}

// MARK: Properties

extension Expression {
    /// Calls `visit` with every part of this expression that is no composition, and with the number of its copies.
    func forEachLeaf(copies: Int = 1, _ visit: (_ leaf: Expression, _ copies: Int) -> Void) {
        switch self {
        case .sequence(let parts), .choice(let parts):
            for part in parts { part.forEachLeaf(copies: copies, visit) }
        case .repetition(let body, let minimum, let maximum):
            let times = max(maximum ?? minimum + 1, 1)
            let product = copies.multipliedReportingOverflow(by: times)
            body.forEachLeaf(copies: product.overflow ? .max : product.partialValue, visit)
        case .network(let network):
            for edge in network.edges { edge.expression.forEachLeaf(copies: copies, visit) }
        default: visit(self, copies)
        }
    }

    /// Whether the empty text is one of its texts, if `isNullable` says it of each rule.
    func isNullable(_ isNullable: (Int) -> Bool) -> Bool {
        switch self {
        case .literal(let bytes): bytes.isEmpty
        case .bytes, .characters: false
        case .automaton(let automaton): automaton.states[0].isAccepting
        case .sequence(let parts): parts.allSatisfy { $0.isNullable(isNullable) }
        case .choice(let parts): parts.contains { $0.isNullable(isNullable) }
        case .repetition(let body, let minimum, _): minimum == 0 || body.isNullable(isNullable)
        case .rule(let rule): isNullable(rule)
        case .beginning, .end: true
        case .network(let network): network.isNullable(isNullable)
        }
    }

    /// The number of levels of compositions, with `height` levels in each rule.
    func height(_ height: (_ rule: Int) -> Int) -> Int {
        switch self {
        case .sequence(let parts), .choice(let parts): 1 + (parts.map { $0.height(height) }.max() ?? 0)
        case .repetition(let body, _, _): 1 + body.height(height)
        case .network(let network): 1 + (network.edges.map { $0.expression.height(height) }.max() ?? 0)
        case .rule(let rule): 1 + height(rule)
        default: 1
        }
    }
}

extension Expression.Network {
    fileprivate func isNullable(_ isNullable: (Int) -> Bool) -> Bool {
        var isReached = [Bool](repeating: false, count: nodeCount)
        isReached[0] = true
        // Edges lead mostly to later nodes, so two passes are the rule.
        var changes = true
        while changes {
            changes = false
            for edge in edges where isReached[edge.source] && !isReached[edge.target] {
                guard edge.expression.isNullable(isNullable) else { continue }
                isReached[edge.target] = true
                changes = true
            }
        }
        return isReached[last]
    }
}
