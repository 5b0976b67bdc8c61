// Grammars: which texts are allowed.

package import InferSupport

/// A set of texts, given by a JSON schema, a regular expression or rules in GBNF, compiled to an automaton over the bytes of UTF-8.
///
/// A grammar never changes and can be shared. Compiling it is bounded by ``GrammarLimits``; it never hangs and never runs out of memory,
/// whatever the source is.
package struct Grammar: Sendable {
    let automaton: PushdownAutomaton

    init(_ rules: RuleSet, _ budget: inout CompilationBudget) throws(InferenceError) {
        automaton = try PushdownAutomaton(rules, budget: &budget)
    }

    /// The JSON texts of the values that a JSON schema (draft 2020-12) allows.
    ///
    /// The supported keywords are those of OpenAI's structured outputs and a few more:
    /// - for all values: `type` (also a list of types), `enum`, `const`, `anyOf`, `allOf`, and `oneOf` if no value can fit two of its schemas;
    ///   `$ref` with `#` or `#/…`, also recursive and beside other keywords; `true` and `false` as schemas;
    /// - for strings: `minLength`, `maxLength`, `pattern` (see ``RegularExpressionParser``) and `format` with `date`, `time`, `date-time`,
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
    ///   - limits: What the grammar may cost.
    /// - Throws: ``InferenceError`` with `invalidArgument` and the path of the keyword that is wrong or unsupported; also for a schema that
    ///   allows no value, and beyond the limits.
    package init(
        jsonSchema schema: JSONValue, style: JSONStyle = JSONStyle(), limits: GrammarLimits = GrammarLimits()
    ) throws(InferenceError) {
        var budget = CompilationBudget(limits)
        try self.init(SchemaCompiler.rules(of: schema, style, budget: &budget), &budget)
    }

    /// The texts that match a regular expression as a whole; see ``RegularExpressionParser`` for what is supported.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` and the place of the fault; also for an expression that nothing matches, and beyond
    ///   the limits.
    package init(
        regularExpression source: String, limits: GrammarLimits = GrammarLimits()
    ) throws(InferenceError) {
        var budget = CompilationBudget(limits)
        let expression = try RegularExpressionParser.expression(of: source, "the regular expression", limits: limits)
        let automaton = try Automaton(expression, encoding: .utf8, budget: &budget)
        var rules = RuleSet()
        _ = rules.add("the whole text", .automaton(automaton))
        try self.init(rules, &budget)
    }

    /// The texts that rules in GBNF, the grammar format of llama.cpp, allow; see ``GBNFParser`` for the format.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` and the line and column of the fault; also for left recursion, for a grammar
    ///   that allows no text, and beyond the limits.
    package init(gbnf source: String, limits: GrammarLimits = GrammarLimits()) throws(InferenceError) {
        var budget = CompilationBudget(limits)
        try self.init(GBNFParser.rules(of: source, limits: limits), &budget)
    }

    /// The size of the automaton, for logs.
    package var summary: String {
        "\(automaton.stateCount) states of \(automaton.ruleStarts.count) rules, \(automaton.classCount) classes of bytes"
    }

    /// Whether `text` is one of the texts.
    package func accepts(_ text: some Sequence<UInt8>) -> Bool {
        var matcher = GrammarMatcher(self)
        return matcher.advance(text) && matcher.isAccepting
    }

    /// Whether `text` is one of the texts.
    package func accepts(_ text: String) -> Bool { accepts(text.utf8) }
}
