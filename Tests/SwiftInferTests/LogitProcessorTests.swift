// Processors of logits: what they change, and that drafts and schedulers change nothing about it.

import SwiftInfer
import TestSupport
import Testing

/// Forbids a token to follow itself.
private struct WithoutRepetition: LogitProcessor {
    let onlyMasks = true
    func allows(_ token: TokenID, after tokens: [TokenID]) -> Bool { token != tokens.last }
}

/// Changes every logit by the tokens before: the tokens that occurred three and more places ago gain, by their number.
private struct Echo: LogitProcessor {
    var strength: Float = 2

    func process(_ logits: inout MutableSpan<Float>, after tokens: [TokenID]) {
        for token in tokens.dropLast(3).suffix(16) where logits.indices.contains(Int(token)) {
            logits[Int(token)] += strength * Float(1 + tokens.count % 3)
        }
    }
}

/// Adds a bias to one token.
private struct Bias: LogitProcessor {
    let token: TokenID
    let bias: Float

    func process(_ logits: inout MutableSpan<Float>, after tokens: [TokenID]) { logits[Int(token)] += bias }
}

/// Forbids tokens.
private struct Ban: LogitProcessor {
    let tokens: Set<TokenID>
    let onlyMasks = true
    func allows(_ token: TokenID, after tokens: [TokenID]) -> Bool { !self.tokens.contains(token) }
}

@Suite struct LogitProcessorTests {
    private static let prompt = Prompt.text("self.items.append(item)\nself.items.append(item)\n")

    private static let lists: [[any LogitProcessor]] = [
        [WithoutRepetition()], [Echo()], [Echo(strength: 1), WithoutRepetition()],
    ]

    // MARK: Exactness

    @Test(arguments: ["tiny-llama-f32", "tiny-qwen35-q4_k_m", "tiny-gemma3-f32"], 0..<3)
    func draftsChangeNothing(name: String, list: Int) async throws {
        let model = try Fixture.model(name)
        var check = ExactnessCheck(plain: try model.makeSession(.plain), drafted: try model.makeSession(.plain))
        check.logitProcessors = Self.lists[list]
        check.drafters = [.promptLookup, .suffixDecoding(.tree), .tokenRecycling]
        (check.samplings, check.tokens) = (2, 24)
        let report = try await check.run([Self.prompt, .text("def f(x):\n")])
        #expect(report.mismatches == 0, "\(report.differences)")
        #expect(report.runs == 42 && report.accepted > 20 && report.rows > 100)
    }

    /// With a grammar, too: it has the last word.
    @Test func grammarsAndProcessorsTogether() async throws {
        let model = try Fixture.model()
        var check = ExactnessCheck(plain: try model.makeSession(.plain), drafted: try model.makeSession(.plain))
        check.logitProcessors = Self.lists[2]
        check.grammar = try Grammar(regularExpression: "[ab]{40}")
        check.drafters = [.promptLookup, .suffixDecoding(.tree), .tokenRecycling]
        let report = try await check.run([Self.prompt])
        #expect(report.mismatches == 0, "\(report.differences)")
        #expect(report.accepted > 5)
        var options = GenerationOptions()
        (options.grammar, options.logitProcessors) = (
            check.grammar, [Ban(tokens: [try #require(model.tokenizer.token("a"))])]
        )
        let text = try await check.plain.respond(to: Self.prompt, options: options).text
        #expect(text.count == 40 && text.allSatisfy { "ab".contains($0) })
    }

    @Test func schedulersGiveTheSameAnswers() async throws {
        let model = try Fixture.model()
        var requests: [Scheduler.Request] = []
        for index in 0..<6 {
            var options = GenerationOptions.exactly(40)
            options.logitProcessors = Self.lists[index % 3]
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
            #expect(found.statistics.tokens == expected.statistics.tokens)
            #expect(found.statistics.logitsHash == expected.statistics.logitsHash)
        }
    }

    @Test func forbiddenDraftsAreNotChecked() async throws {
        let model = try Fixture.model()
        let record = Record()
        func token(_ text: String) throws -> TokenID { try #require(model.tokenizer.token(text)) }
        let (a, b) = (try token("a"), try token("b"))
        let drafter = DrafterChoice("fixed") { _ in
            RecordingDrafter(FixedDrafter([[a, a, b], [a, b, b], [b, a, a]]), into: record)
        }
        var options = GenerationOptions.exactly(16)
        options.draftWidth = .fixed(16)
        options.logitProcessors = [WithoutRepetition()]
        _ = try await model.makeSession(.init(drafter: drafter)).respond(to: Self.prompt, options: options)
        #expect(record.outcomes.count > 3)
        for outcome in record.outcomes {
            let tree = outcome.tree
            for node in outcome.checked {
                let parent = Int(tree.parents[node])
                #expect(parent < 0 || (tree.tokens[parent] != tree.tokens[node] && outcome.checked.contains(parent)))
            }
        }
        #expect(record.outcomes.contains { $0.checked.count == 4 })
    }

    // MARK: What they do

    @Test func biasesAreThoseOfSampling() async throws {
        let model = try Fixture.model()
        let session = try model.makeSession(.plain)
        let token = try #require(
            try await session.respond(to: Self.prompt, options: .exactly(1)).statistics.tokens.first)
        for temperature in [Float(0), 1] {
            var (biased, processed) = (GenerationOptions.exactly(24), GenerationOptions.exactly(24))
            for bias in [Float(-1.5), 2] {
                biased.sampling.logitBias = [token: bias]
                processed.logitProcessors = [Bias(token: token, bias: bias)]
                (biased.sampling.temperature, processed.sampling.temperature) = (temperature, temperature)
                let expected = try await session.respond(to: Self.prompt, options: biased)
                let found = try await session.respond(to: Self.prompt, options: processed)
                #expect(found.statistics.tokens == expected.statistics.tokens)
            }
        }
    }

    @Test func forbiddenTokensAreNeverChosen() async throws {
        let model = try Fixture.model()
        let session = try model.makeSession(.init(drafter: .promptLookup))
        let plain = try await session.respond(to: Self.prompt, options: .exactly(32)).statistics.tokens
        for temperature in [Float(0), 1.5] {
            var options = GenerationOptions.exactly(32)
            options.sampling.temperature = temperature
            options.logitProcessors = [Ban(tokens: Set(plain)), WithoutRepetition()]
            let tokens = try await session.respond(to: Self.prompt, options: options).statistics.tokens
            #expect(tokens.count == 32 && Set(tokens).isDisjoint(with: plain))
            #expect(zip(tokens, tokens.dropFirst()).allSatisfy { $0 != $1 })
        }
        // Log-probabilities are those of the model.
        var reporting = GenerationOptions.exactly(1)
        (reporting.reportsTokens, reporting.topLogProbabilities) = (true, 1)
        reporting.logitProcessors = [Ban(tokens: [plain[0]])]
        for try await case .token(let token) in session.generate(Self.prompt, options: reporting) {
            #expect(token.id != plain[0] && token.top.first?.id == plain[0])
        }
    }

    @Test func noTokenLeftIsAnError() async throws {
        let session = try Fixture.model().makeSession(.plain)
        var options = GenerationOptions.exactly(4)
        options.logitProcessors = [Ban(tokens: Set(0..<TokenID(session.model.tokenizer.count)))]
        let forbidding = options
        await expectRefusal(.malformedModel, "processor") {
            try await session.respond(to: Self.prompt, options: forbidding)
        }
    }

    @Test func optionsAreComparedByTheirProcessors() {
        var (one, other) = (GenerationOptions(), GenerationOptions())
        one.logitProcessors = [Echo(strength: 1), WithoutRepetition()]
        #expect(one != other)
        other.logitProcessors = [Echo(strength: 1), WithoutRepetition()]
        #expect(one == other && one.hashValue == other.hashValue)
        other.logitProcessors = [Echo(strength: 2), WithoutRepetition()]
        #expect(one != other)
        other.logitProcessors = [WithoutRepetition(), Echo(strength: 1)]
        #expect(one != other)
    }
}
