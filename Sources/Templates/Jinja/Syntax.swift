// The syntax tree of a template.

/// An expression with its place in the source.
final class Expression: Sendable {
    /// What an expression does.
    enum Kind: Sendable {
        case none
        case bool(Bool)
        case integer(Int)
        case float(Double)
        case string(TemplateText)
        case name(String)
        case list([Expression])
        case tuple([Expression])
        case dictionary([(key: Expression, value: Expression)])
        case attribute(Expression, String)
        case item(Expression, Expression)
        case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
        case call(Expression, Arguments)
        /// A filter. Without an operand it takes the text of a block.
        case filter(Expression?, String, Arguments)
        case test(Expression, String, Arguments, isNegated: Bool)
        case negative(Expression)
        case positive(Expression)
        case not(Expression)
        case and(Expression, Expression)
        case or(Expression, Expression)
        case arithmetic(Arithmetic, Expression, Expression)
        /// A chain of comparisons, such as `a < b <= c`.
        case comparison(Expression, [(operation: Comparison, operand: Expression)])
        /// Texts joined with `~`.
        case concatenation([Expression])
        case conditional(condition: Expression, then: Expression, otherwise: Expression?)
    }

    enum Arithmetic: String, Sendable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case floorDivide = "//"
        case remainder = "%"
        case power = "**"
    }

    enum Comparison: String, Sendable {
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case contained = "in"
        case notContained = "not in"
    }

    let kind: Kind
    let line: Int
    /// The height of the tree below this expression.
    let height: Int

    init(_ kind: Kind, line: Int, height: Int) {
        self.kind = kind
        self.line = line
        self.height = height
    }
}

/// The arguments of a call, filter or test.
struct Arguments: Sendable {
    var positional: [Expression] = []
    var keywords: [(name: String, value: Expression)] = []
    /// `*expression`
    var rest: Expression?
    /// `**expression`
    var keywordRest: Expression?

    var all: [Expression] { positional + keywords.map(\.value) + [rest, keywordRest].compactMap { $0 } }
}

/// What an assignment assigns to.
indirect enum Target: Sendable {
    case name(String)
    /// An attribute of a namespace.
    case attribute(String, String)
    case tuple([Target])
}

/// A statement with its place in the source.
struct Statement: Sendable {
    /// What a statement does.
    indirect enum Kind: Sendable {
        case text(TemplateText)
        case output(Expression)
        case condition([(condition: Expression, body: [Statement])], otherwise: [Statement])
        case loop(Loop)
        case assignment(Target, Expression)
        /// The text of a block, passed through filters, becomes a variable.
        case blockAssignment(Target, filter: Expression?, body: [Statement])
        case macro(Macro)
        case call(Expression, caller: Macro)
        case filter(Expression, body: [Statement])
        case with([(target: Target, value: Expression)], body: [Statement])
        /// A block with its own variables (`block`, `generation`).
        case scope([Statement])
        case evaluation(Expression)
        case breakLoop
        case continueLoop
    }

    /// A `for` loop.
    struct Loop: Sendable {
        let target: Target
        let sequence: Expression
        let condition: Expression?
        let isRecursive: Bool
        let body: [Statement]
        let otherwise: [Statement]
    }

    let kind: Kind
    let line: Int
}

/// A macro or the body of a `call` block.
final class Macro: Sendable {
    let name: String
    let parameters: [(name: String, standard: Expression?)]
    let body: [Statement]
    /// Whether the body uses `varargs`, `kwargs`, `caller`; only then the macro takes them.
    let takesPositionalRest: Bool
    let takesKeywordRest: Bool
    let takesCaller: Bool

    init(name: String, parameters: [(name: String, standard: Expression?)], body: [Statement], usedNames: Set<String>) {
        self.name = name
        self.parameters = parameters
        self.body = body
        takesPositionalRest = usedNames.contains("varargs")
        takesKeywordRest = usedNames.contains("kwargs")
        takesCaller = usedNames.contains("caller")
    }
}
