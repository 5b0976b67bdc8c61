// Scoring of given text: the bits of a generation, at any length, and what is refused.

import SwiftInfer
import TestSupport
import Testing

@Suite struct ScoringTests {
    /// The tokens that a greedy generation reports.
    private func generated(
        _ model: Model, _ prompt: Prompt, _ count: Int, drafter: DrafterChoice = .none
    ) async throws -> [GeneratedToken] {
        var options = GenerationOptions.exactly(count)
        options.reportsTokens = true
        options.topLogProbabilities = 5
        options.draftWidth = .fixed(7)
        var tokens: [GeneratedToken] = []
        let session = try model.makeSession(.init(drafter: drafter))
        for try await case .token(let token) in session.generate(prompt, options: options) { tokens.append(token) }
        return tokens
    }

    @Test(arguments: ["tiny-llama-f32", "tiny-llama-q4_k", "tiny-gemma3-f32", "tiny-qwen35-q4_k_m"])
    func scoresAreTheBitsOfAGeneration(name: String) async throws {
        let model = try Fixture.model(name)
        let prompt = Prompt.text("self.items.append(item)\nself.items.append(")
        let expected = try await generated(model, prompt, 24)
        let scored = try await model.makeSession().score(expected.map(\.id), after: prompt, topLogProbabilities: 5)
        #expect(scored == expected && scored.count == 24)
        #expect(scored.allSatisfy { $0.top.count == 5 })

        let drafted = try await generated(model, prompt, 24, drafter: .promptLookup)
        let single = try await model.makeSession().score(drafted.map(\.id), after: prompt)
        #expect(zip(single, drafted).allSatisfy { $0.logProbability == $1.logProbability && $0.top.isEmpty })
    }

    /// A text of several steps, in a session that holds the prompt already.
    @Test func longTextsAreScoredInSteps() async throws {
        let model = try Fixture.model()
        let tokens = Array(try model.tokens(for: .text(longText)).prefix(1300))
        let session = try model.makeSession(.plain)
        _ = try await session.respond(to: .tokens(Array(tokens.prefix(40))), options: .exactly(8))
        let scored = try await session.score(Array(tokens.dropFirst(30)), after: .tokens(Array(tokens.prefix(30))))
        #expect(scored.map(\.id) == Array(tokens.dropFirst(30)))
        #expect(await session.tokens == tokens)
        // One by one.
        for place in [30, 541, 542, 543, 1299] {
            let single = try await session.score([tokens[place]], after: .tokens(Array(tokens.prefix(place))))
            #expect(single == [scored[place - 30]])
        }
        #expect(try await session.score([], after: .tokens([1, 2])).isEmpty)
    }

    @Test func textsAreTokenizedByThemselves() async throws {
        let session = try Fixture.model().makeSession(.plain)
        let scored = try await session.score(" = 1", after: .text("x"))
        let tokenizer = session.model.tokenizer
        #expect(String(decoding: scored.flatMap(\.bytes), as: UTF8.self) == " = 1")
        #expect(!scored.contains { tokenizer.isControl($0.id) })
        let sum = scored.compactMap(\.logProbability).reduce(0, +)
        #expect(sum < 0 && sum.isFinite)
    }

    @Test func badInputIsRefused() async throws {
        let model = try Fixture.model()
        let session = try model.makeSession(.init(contextLength: 8, drafter: .none))
        await expectRefusal(.contextFull, "9 tokens", "only 8") {
            try await session.score([1, 2, 3, 4], after: .tokens([1, 2, 3, 4, 5]))
        }
        await expectRefusal(.invalidArgument, "outside the vocabulary") {
            try await session.score([99_999], after: .tokens([1]))
        }
        await expectRefusal(.invalidArgument, "-1") {
            try await session.score([1], after: .tokens([1]), topLogProbabilities: -1)
        }
        for try await event in session.generate(.tokens([1, 2]), options: .exactly(4)) {
            guard case .progress = event else { continue }
            await expectRefusal(.busy) { try await session.score([1], after: .tokens([1])) }
        }
        let cancelled = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await session.score([1], after: .tokens([1]))
        }
        await expectRefusal(.cancelled) { try await cancelled.value }
        #expect(try await session.score([1], after: .tokens([1])).count == 1)
    }
}
