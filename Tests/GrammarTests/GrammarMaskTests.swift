// Masks of tokens, and the states of sequences.

import InferGrammar
import InferSupport
import TestSupport
import Testing

@Suite struct GrammarMaskTests {
    static let grammars: [Grammar] = {
        let schema: JSONValue = [
            "type": "object",
            "properties": [
                "name": ["type": "string", "maxLength": 4], "item": ["type": "array", "items": ["$ref": "#"]],
                "a": true,
            ],
            "required": ["name"], "additionalProperties": false,
        ]
        let grammars = [
            try? Grammar(jsonSchema: schema), try? Grammar(jsonSchema: true),
            try? Grammar(jsonSchema: schema, style: JSONStyle(whiteSpace: .none)),
            try? Grammar(regularExpression: "(?:é|grün|😀)+(?:,|10*)"),
            try? Grammar(gbnf: "root ::= x x x\nx ::= \"[\" x* \"]\" | \"[[\" | [0-9]+ x? | \"\\\"\" [^\"]* \"\\\"\""),
        ]
        return grammars.compactMap { $0 }
    }()

    /// The mask has exactly the tokens after whose bytes the text can go on, as the automaton says of each token by itself.
    @Test(arguments: 0..<5) func masksAreExact(index: Int) throws {
        let grammar = Self.grammars[index]
        let constraint = GrammarConstraint(grammar, vocabulary: TestVocabulary.trie)
        var random = SeededGenerator(UInt64(index))
        var mask = TokenMask(tokenCount: TestVocabulary.tokens.count)
        for _ in 0..<12 {
            var state = GrammarState(constraint)
            var matcher = GrammarMatcher(grammar)
            for _ in 0..<25 where !state.isFinished {
                state.mask(into: &mask)
                for (token, bytes) in TestVocabulary.tokens.enumerated() where !bytes.isEmpty {
                    let isAllowed = matcher.allows(bytes)
                    #expect(
                        mask.contains(Int32(token)) == isAllowed && state.allows(Int32(token)) == isAllowed, "\(bytes)")
                }
                #expect(
                    mask.contains(TestVocabulary.end) == matcher.isAccepting && !mask.contains(TestVocabulary.control))
                let token = try #require(mask.tokens.filter { $0 != TestVocabulary.end }.randomElement(using: &random))
                let (isAccepted, hasAdvanced) = (
                    state.accept(token), matcher.advance(TestVocabulary.tokens[Int(token)])
                )
                #expect(isAccepted && hasAdvanced)
            }
        }
    }

    @Test func copiesAreIndependent() throws {
        let constraint = GrammarConstraint(
            try Grammar(gbnf: "root ::= \"[\" root \"]\" | [0-9]"), vocabulary: TestVocabulary.trie)
        func byte(_ text: Unicode.Scalar) -> Int32 { Int32(text.value) + 2 }
        func accept(_ tokens: Int32..., by state: inout GrammarState) -> Bool { tokens.allSatisfy { state.accept($0) } }
        var one = GrammarState(constraint)
        let hasBegun = accept(byte("["), by: &one)
        var other = one
        let hasEnded = accept(byte("7"), byte("]"), by: &other)
        #expect(hasBegun && hasEnded && other.isFinished && other.isComplete && !one.isComplete)
        #expect(!other.allows(byte("]")) && one.allows(byte("[")) && !one.allows(TestVocabulary.end))
        #expect(!one.allows(TestVocabulary.control) && !one.allows(-1) && !one.allows(99_999))
        let isAccepted = other.accept(TestVocabulary.end)
        #expect(isAccepted && other.isFinished && !other.allows(TestVocabulary.end))
    }

    /// Where the nesting has a limit, what can no longer be completed is not begun.
    @Test(arguments: [
        "root ::= v\nv ::= [0-9] | \"[\" v (\",\" v)* \"]\" | \"{\" m \"}\"\nm ::= \"\\\"a\\\":\" v (\",\" m)?",
        "root ::= a \"!\"\na ::= \"[\" b \"]\" | \"[\" a \"}\"\nb ::= \"(\" c \")\" | \"(\" a \"}\"\nc ::= \"{\" a \"}\" | \"0\"",
    ]) func depthHasNoDeadEnds(source: String) throws {
        var limits = GrammarLimits()
        limits.depth = 12
        let constraint = GrammarConstraint(try Grammar(gbnf: source, limits: limits), vocabulary: TestVocabulary.trie)
        var mask = TokenMask(tokenCount: TestVocabulary.tokens.count)
        var random = SeededGenerator(5)
        for _ in 0..<30 {
            var state = GrammarState(constraint)
            var count = 0
            while !state.isFinished, count < 300 {
                state.mask(into: &mask)
                // Opening brackets first, so that the limit is reached.
                let opening = mask.tokens.filter { TestVocabulary.tokens[Int($0)].contains { "[{(".utf8.contains($0) } }
                let choices = opening.isEmpty || count > 40 ? mask.tokens : opening
                let token = try #require(choices.randomElement(using: &random), "a dead end after \(count) tokens")
                let isAccepted = state.accept(token)
                #expect(isAccepted)
                count += 1
            }
        }
    }

    @Test func cachedMasksHaveALimit() throws {
        let constraint = GrammarConstraint(Self.grammars[0], vocabulary: TestVocabulary.trie, cacheLimit: 2_000)
        var random = SeededGenerator(1)
        for _ in 0..<5 {
            _ = TestVocabulary.walk(constraint, free: 30, &random)
            #expect(constraint.cacheSize <= 2_000)
        }
    }
}
