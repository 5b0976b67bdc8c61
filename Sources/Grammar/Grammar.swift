// Grammars: which texts are allowed.

public import InferSupport

/// A set of texts, given by a JSON schema, a regular expression or rules in GBNF, compiled to an automaton over the bytes of UTF-8.
///
/// A grammar never changes and can be shared. Compiling it is bounded: it never hangs and never runs out of memory, whatever the source
/// is. In a text that a grammar allows so far, something can always follow, or the text is complete.
public struct Grammar: Sendable {
    enum Source: Hashable, Sendable {
        case jsonSchema(JSONValue, JSONStyle)
        case regularExpression(String)
        case gbnf(String)
        case composition(GrammarPart, JSONStyle)
    }

    let source: Source
    let automaton: PushdownAutomaton

    private init(_ source: Source, _ limits: GrammarLimits) throws(InferenceError) {
        self.source = source
        var budget = CompilationBudget(limits)
        var rules = RuleSet()
        switch source {
        case .jsonSchema(let schema, let style):
            rules = try SchemaCompiler.rules(of: schema, style, budget: &budget)
        case .gbnf(let text): rules = try GBNFParser.rules(of: text, limits: limits)
        case .regularExpression(let text):
            let expression = try RegularExpressionParser.expression(of: text, "the regular expression", limits: limits)
            let automaton = try Automaton(expression, encoding: .utf8, budget: &budget)
            _ = rules.add("the whole text", .automaton(automaton))
        case .composition(let part, let style):
            let whole = rules.add("the whole text")
            rules.rules[whole].body = try rules.expression(of: part, style, limits, budget: &budget)
        }
        automaton = try PushdownAutomaton(rules, budget: &budget)
    }

    /// The JSON texts of the values that a JSON schema (draft 2020-12) allows.
    ///
    /// The supported keywords are those of OpenAI's structured outputs and a few more:
    /// - for all values: `type` (also a list of types), `enum`, `const`, `anyOf`, `allOf`, and `oneOf` if no value can fit two of its schemas;
    ///   `$ref` with `#` or `#/…`, also recursive and beside other keywords; `true` and `false` as schemas;
    /// - for strings: `minLength`, `maxLength`, `pattern` (see ``init(regularExpression:)``) and `format` with `date`, `time`, `date-time`,
    ///   `duration`, `email`, `hostname`, `ipv4`, `ipv6` or `uuid`;
    /// - for numbers: `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, and `multipleOf` up to 4,000 units of its last place;
    /// - for arrays: `items`, `prefixItems`, `minItems` and `maxItems`;
    /// - for objects: `properties`, `required` and `additionalProperties`.
    ///
    /// Keywords that limit nothing, such as `title`, `description`, `default` and `$defs`, are ignored. Any other keyword is refused.
    ///
    /// Not every spelling of a value is allowed. The properties that a schema names come in its order, others behind them. Whole numbers have
    /// no point. Limited numbers have no exponent. Strings with a pattern or a format, and keys, have escapes only where JSON needs them.
    ///
    /// - Parameters:
    ///   - schema: The schema.
    ///   - style: How the texts are written.
    /// - Throws: ``InferenceError`` with `invalidArgument` and the path of the keyword that is wrong or unsupported; also for a schema that
    ///   allows no value, and for one that is too large.
    public init(jsonSchema schema: JSONValue, style: JSONStyle = JSONStyle()) throws(InferenceError) {
        try self.init(jsonSchema: schema, style: style, limits: GrammarLimits())
    }

    /// The texts that match a regular expression as a whole.
    ///
    /// The dialect is that of ECMA-262 with the flag `u`, which JSON schemas use. Supported are alternatives, groups (also `(?:…)` and
    /// `(?<name>…)`), the quantifiers `*`, `+`, `?`, `{m}`, `{m,}` and `{m,n}` (a `?` behind one changes nothing, because only the set of
    /// texts counts), `.`, classes, `^` and `$` anywhere, and the escapes `\d \D \w \W \s \S`, `\t \n \v \f \r \0`, `\cX`, `\xHH`,
    /// `\uHHHH`, `\u{H…}`, `\p{…}` and `\P{…}` with a general category, `Any` or `ASCII`, and of all punctuation. What describes no regular
    /// language is refused by name, such as back-references; so are looking ahead and behind, and `\b` and `\B`.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` and the place of the fault; also for an expression that nothing matches, and for
    ///   one that is too large.
    public init(regularExpression source: String) throws(InferenceError) {
        try self.init(regularExpression: source, limits: GrammarLimits())
    }

    /// The texts that rules in GBNF, the grammar format of llama.cpp, allow.
    ///
    /// Supported is the format as its documentation describes it, but for tokens (`<…>`, `!<…>`). The rule `root` is the whole text. A rule
    /// must not refer to itself before it takes a character.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` and the line and column of the fault; also for left recursion, for a grammar
    ///   that allows no text, and for one that is too large.
    public init(gbnf source: String) throws(InferenceError) { try self.init(gbnf: source, limits: GrammarLimits()) }

    /// The grammar of texts and schemas that are put together. The JSON is written in `style`.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument`, as the other initialisers do.
    package init(_ part: GrammarPart, style: JSONStyle) throws(InferenceError) {
        try self.init(.composition(part, style), GrammarLimits())
    }

    /// The grammar of a JSON schema, within `limits`.
    package init(
        jsonSchema schema: JSONValue, style: JSONStyle = JSONStyle(), limits: GrammarLimits
    ) throws(InferenceError) {
        try self.init(.jsonSchema(schema, style), limits)
    }

    /// The grammar of a regular expression, within `limits`.
    package init(regularExpression source: String, limits: GrammarLimits) throws(InferenceError) {
        try self.init(.regularExpression(source), limits)
    }

    /// The grammar of rules in GBNF, within `limits`.
    package init(gbnf source: String, limits: GrammarLimits) throws(InferenceError) {
        try self.init(.gbnf(source), limits)
    }

    /// Whether `text` is one of the texts.
    package func accepts(_ text: some Sequence<UInt8>) -> Bool {
        var matcher = GrammarMatcher(self)
        return matcher.advance(text) && matcher.isAccepting
    }

    /// Whether `text` is one of the texts.
    public func accepts(_ text: String) -> Bool { accepts(text.utf8) }
}

extension Grammar: Hashable {
    /// Whether the sources are the same. Different sources may have the same texts.
    public static func == (one: Grammar, other: Grammar) -> Bool { one.source == other.source }

    /// Hashes the source.
    public func hash(into hasher: inout Hasher) { hasher.combine(source) }
}
