// Answers that follow a grammar: always valid, and the same with and without drafting.

import InferSupport
import SwiftInfer
import TestSupport
import Testing

@Suite struct StructuredOutputTests {
    private static let prompt = Prompt.text("self.items.append(item)\nself.items.append(item)\n")
    private static let schema: JSONSchema = .object([
        "name": .string(length: 0...12), "count": .integer(0...500), "kind": .oneOf("red", "green", "blue"),
        "list": .array(of: .boolean, count: 1...4),
    ])

    /// What the tiny models write without thinking of an end: bounded, so that answers come to an end.
    private static func grammars() throws -> [Grammar] {
        [
            try schema.grammar(),
            try Grammar(gbnf: "root ::= line{3}\nline ::= [a-z]{1,12} (\" = \" [0-9]{1,3} | \"(\" line \")\") \"\\n\""),
            try Grammar(regularExpression: "(?:self\\.[a-z]{1,8}\\n){4}"),
        ]
    }

    // MARK: Drafting

    @Test(arguments: ["tiny-llama-f32", "tiny-qwen35-q4_k_m"], 0..<3)
    func draftsChangeNothing(name: String, kind: Int) async throws {
        let model = try Fixture.model(name)
        var check = ExactnessCheck(plain: try model.makeSession(.plain), drafted: try model.makeSession(.plain))
        check.grammar = try Self.grammars()[kind]
        check.drafters = DrafterChoice.all.filter { $0.description != "none" && !$0.description.hasPrefix("codeswift") }
        check.drafters.append(.codeSwift(CodeSwiftOptions(repository: .off, cache: .off)))
        (check.samplings, check.contestantsPerAnswer, check.tokens) = (2, 4, 24)
        let report = try await check.run([Self.prompt, .text("def f(x):\n")])
        #expect(report.mismatches == 0, "\(report.differences)")
        #expect(report.runs == 24 && report.accepted > 10 && report.rows > 100)
    }

    @Test func forbiddenDraftsAreNotChecked() async throws {
        let model = try Fixture.model()
        let grammar = try Grammar(regularExpression: "[ab]{1,40}")
        // Every draft begins with a token that the grammar forbids, or goes on with one.
        func token(_ text: String) throws -> TokenID { try #require(model.tokenizer.token(text)) }
        let (a, c) = (try token("a"), try token("c"))
        let record = Record()
        let drafter = DrafterChoice("forbidden") { _ in
            RecordingDrafter(FixedDrafter([[c, a], [a, c, a], [a, a, a]]), into: record)
        }
        var options = GenerationOptions(maximumTokens: 24)
        options.grammar = grammar
        options.draftWidth = .fixed(16)
        let response = try await model.makeSession(.init(drafter: drafter)).respond(to: Self.prompt, options: options)
        #expect(grammar.accepts(response.text))
        #expect(!record.outcomes.isEmpty)
        for outcome in record.outcomes {
            for node in outcome.checked { #expect(outcome.tree.tokens[node] == a) }
        }
        #expect(response.statistics.draft.drafted > 0)
    }

    @Test func schedulersGiveTheSameAnswers() async throws {
        let model = try Fixture.model()
        var requests: [Scheduler.Request] = []
        for (index, grammar) in try (Self.grammars() + Self.grammars()).enumerated() {
            var options = GenerationOptions(maximumTokens: 80)
            options.grammar = grammar
            options.hashesLogits = true
            if index > 2 { (options.sampling.temperature, options.sampling.seed) = (1, UInt64(index)) }
            var request = Scheduler.Request(Self.prompt, options: options)
            request.drafter = [.promptLookup, .tokenRecycling, .suffixDecoding(.tree)][index % 3]
            requests.append(request)
        }
        let scheduler = try Scheduler(model)
        let running = try requests.map { try scheduler.submit($0) }
        for (request, generation) in zip(requests, running) {
            let found = try await generation.response()
            let expected = try await model.makeSession(.plain).respond(to: request.prompt, options: request.options)
            #expect(found.text == expected.text)
            #expect(found.statistics.logitsHash == expected.statistics.logitsHash)
            #expect(found.statistics.finishReason == expected.statistics.finishReason)
        }
    }

    // MARK: Answers

    @Test(arguments: 0..<12) func answersFollowTheGrammar(seed: UInt64) async throws {
        let model = try Fixture.model(seed.isMultiple(of: 2) ? "tiny-llama-f32" : "tiny-gemma3-f32")
        let session = try model.makeSession(.init(drafter: .promptLookup))
        for grammar in try Self.grammars() {
            var options = GenerationOptions()
            options.grammar = grammar
            if seed > 1 {
                (options.sampling.temperature, options.sampling.seed) = (1.5, seed)
                if seed > 4 { options.sampling.topK = 20 }
                if seed > 7 { options.sampling.repeatPenalty = 1.3 }
            }
            let response = try await session.respond(to: Self.prompt, options: options)
            #expect(grammar.accepts(response.text), "\(response.text)")
            #expect(response.statistics.finishReason == .endOfText)
        }
    }

    @Test func theEndComesWhereTheTextIsComplete() async throws {
        let session = try Fixture.model().makeSession(.plain)
        var options = GenerationOptions()
        options.grammar = try Grammar(regularExpression: "abc")
        let response = try await session.respond(to: Self.prompt, options: options)
        #expect(response.text == "abc" && response.statistics.finishReason == .endOfText)
        // Nothing can follow, so no token is spent on the end.
        let tokenizer = session.model.tokenizer
        #expect(response.statistics.tokens.allSatisfy { !tokenizer.isEndOfGeneration($0) })

        // With no end-of-text token, an answer that may go on goes on.
        options.grammar = try Grammar(regularExpression: "a{2,}")
        options.ignoresEndOfText = true
        options.maximumTokens = 30
        let endless = try await session.respond(to: Self.prompt, options: options)
        #expect(endless.statistics.tokens.count == 30 && endless.statistics.finishReason == .length)
        #expect(endless.text.allSatisfy { $0 == "a" })

        // A limit cuts an answer.
        options.grammar = try Self.schema.grammar()
        options.maximumTokens = 3
        let cut = try await session.respond(to: Self.prompt, options: options)
        #expect(cut.statistics.finishReason == .length && cut.text.hasPrefix("{"))
    }

    @Test func biasesAndGrammarsTogether() async throws {
        let model = try Fixture.model()
        let session = try model.makeSession(.plain)
        var options = GenerationOptions()
        options.grammar = try Grammar(regularExpression: "[xy]")
        for text in ["x", "y"] { options.sampling.logitBias[try #require(model.tokenizer.token(text))] = -.infinity }
        let (prompt, forbidding) = (Self.prompt, options)
        await expectRefusal(.malformedModel, "grammar") { try await session.respond(to: prompt, options: forbidding) }
        options.sampling.logitBias = [try #require(model.tokenizer.token("x")): -.infinity]
        #expect(try await session.respond(to: Self.prompt, options: options).text == "y")
    }

    // MARK: Values

    private struct Item: Generable, Encodable, Equatable {
        enum Kind: String, Codable, CaseIterable { case small, large }
        var name: String
        var count: Int
        var isOpen: Bool
        var kind: Kind
        var note: String?

        static let example = Item(name: "a", count: 1, isOpen: true, kind: .small)
        static var jsonSchema: JSONSchema {
            get throws(InferenceError) { try JSONSchema(example: example) }
        }
    }

    @Test func schemasOfExamples() throws {
        let schema = try JSONSchema(example: Item.example)
        let expected: JSONSchema = .object([
            "name": .string(), "count": .integer(), "isOpen": .boolean, "kind": .oneOf("small", "large"),
            "note": .optional(.string()),
        ])
        #expect(schema == expected)
        #expect(try JSONSchema(example: [["a": 1.5]]) == .array(of: .object(["a": .number()])))
        expectRefusal(.invalidArgument, "no elements") { try JSONSchema(example: [Int]()) }
        struct Hidden: Encodable { var item: Item? }
        expectRefusal(.invalidArgument, "\"item\"") { try JSONSchema(example: Hidden()) }
    }

    @Test func valuesAreDecoded() async throws {
        let session = try Fixture.model().makeSession(.plain)
        var options = GenerationOptions()
        (options.sampling.temperature, options.sampling.seed) = (1, 7)
        // Strings of any length would not end soon.
        let schema: JSONSchema = .object([
            "name": .string(length: 0...5), "count": .integer(1...9), "isOpen": .boolean,
            "kind": .oneOf("small", "large"),
            "note": .optional(.string(length: 0...3)),
        ])
        let response = try await session.respond(
            to: Self.prompt, generating: Item.self, schema: schema, options: options)
        #expect((1...9).contains(response.content.count) && response.content.name.unicodeScalars.count <= 5)
        #expect(try JSONValue(parsing: response.text)["kind"]?.string == response.content.kind.rawValue)

        options.maximumTokens = 4
        let (prompt, short) = (Self.prompt, options)
        await expectRefusal(.incompleteAnswer, "4 tokens") {
            try await session.respond(to: prompt, generating: Item.self, options: short)
        }
    }
}
