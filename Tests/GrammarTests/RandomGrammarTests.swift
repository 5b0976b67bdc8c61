// Random schemas, random sampling, and sources with random faults.

import Foundation
import InferGrammar
import InferSupport
import TestSupport
import Testing

@Suite struct RandomGrammarTests {
    /// The number of random schemas; set `SWIFTINFER_SCHEMAS` for a long check.
    private static let schemaCount =
        ProcessInfo.processInfo.environment["SWIFTINFER_SCHEMAS"].flatMap { Int($0) } ?? 150

    @Test func whatTheMasksAllowIsValid() throws {
        var schemas = RandomSchemas(seed: 1)
        var random = SeededGenerator(2)
        var (texts, bytes) = (0, 0)
        for _ in 0..<Self.schemaCount {
            let schema = schemas.document()
            let style = JSONStyle(whiteSpace: Bool.random(using: &random) ? .none : .flexible(maximumIndentation: 3))
            let constraint = GrammarConstraint(
                try Grammar(jsonSchema: schema, style: style), vocabulary: TestVocabulary.trie)
            for _ in 0..<4 {
                let sequence = try #require(
                    TestVocabulary.walk(constraint, free: 40, &random), "a dead end, or no end: \(schema)")
                let text = TestVocabulary.text(sequence)
                let value = try JSONValue(parsing: text)
                #expect(SchemaValidator(root: schema).isValid(value, schema), "\(text) is invalid: \(schema)")
                texts += 1
                bytes += text.utf8.count
            }
        }
        #expect(texts == 4 * Self.schemaCount && bytes > 50 * Self.schemaCount)
    }

    @Test func theValidatorNoticesFaults() throws {
        // The control: values of other schemas are mostly invalid.
        var (valid, all) = (0, 0)
        var random = SeededGenerator(3)
        for seed in 0..<20 as Range<UInt64> {
            var one = RandomSchemas(seed: seed), other = RandomSchemas(seed: seed + 1000)
            let (schema, wrong) = (one.document(), other.document())
            let constraint = GrammarConstraint(try Grammar(jsonSchema: wrong), vocabulary: TestVocabulary.trie)
            guard let sequence = TestVocabulary.walk(constraint, free: 20, &random) else { continue }
            let value = try JSONValue(parsing: TestVocabulary.text(sequence))
            all += 1
            valid += SchemaValidator(root: schema).isValid(value, schema) ? 1 : 0
        }
        #expect(all == 20 && valid < 10)
    }

    static let sources = [
        #"root ::= (expr "=" term "\n"){1,3} [^a-z\]]* # comment"#
            + "\nexpr ::= term ([-+*/] term)*\nterm ::= \"x\" | \"(\" expr \")\"",
        #"^(?:a|b{2,5}?)+[^\d\p{Lu}x-z]*\u{1F600}?(c(d|e)*)$"#,
        ##"{"type":"object","properties":{"a":{"enum":[1,"x",null]},"b":{"$ref":"#"},"c":{"type":"string","pattern":"^a+$"}},"##
            + #""required":["a"],"additionalProperties":{"type":["number","null"],"minimum":-1.5,"multipleOf":0.5}}"#,
    ]

    /// Sources with faults either make a grammar that can be used, or are refused.
    @Test(arguments: 0..<3) func faultsAreRefused(kind: Int) throws {
        var random = SeededGenerator(UInt64(kind))
        var (made, refused) = (0, 0)
        for _ in 0..<300 {
            var source = Array(Self.sources[kind].unicodeScalars)
            for _ in 0..<Int.random(in: 1...(kind == 2 ? 1 : 4), using: &random) {
                let place = Int.random(in: 0..<source.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: source.remove(at: place)
                case 1: source.insert(source[Int.random(in: 0..<source.count, using: &random)], at: place)
                case 2: source[place] = source[Int.random(in: 0..<source.count, using: &random)]
                default: source.insert(contentsOf: source[place..<min(place + 9, source.count)], at: place)
                }
            }
            let text = String(String.UnicodeScalarView(source))
            do throws(InferenceError) {
                let grammar =
                    switch kind {
                    case 0: try Grammar(gbnf: text, limits: .small)
                    case 1: try Grammar(regularExpression: text, limits: .small)
                    default: try Grammar(jsonSchema: try JSONValue(parsing: text), limits: .small)
                    }
                made += 1
                guard made.isMultiple(of: 4) else { continue }
                let constraint = GrammarConstraint(grammar, vocabulary: TestVocabulary.trie)
                var state = GrammarState(constraint)
                var mask = TokenMask(tokenCount: TestVocabulary.tokens.count)
                for _ in 0..<30 where !state.isFinished {
                    state.mask(into: &mask)
                    guard let token = mask.tokens.randomElement(using: &random) else {
                        Issue.record("a dead end: \(text)")
                        break
                    }
                    let isAccepted = state.accept(token)
                    #expect(isAccepted)
                }
            } catch {
                refused += 1
                #expect(error.code == .invalidArgument && !error.message.isEmpty)
            }
        }
        #expect(made > 4 && refused > 10)
    }
}
