// Keeping keys and values from one generation to the next, without a trace in the results.

import InferSupport
import SwiftInfer
import TestSupport
import Testing

@Suite struct ReuseTests {
    private let options = GenerationOptions.exactly(12)

    /// The response of a fresh session, to compare with.
    private func cold(_ model: Model, _ prompt: Prompt) async throws -> Response {
        try await model.makeSession(.plain).respond(to: prompt, options: options)
    }

    private func expectSame(_ a: Response, _ b: Response) {
        #expect(a.text == b.text)
        #expect(a.statistics.tokens == b.statistics.tokens)
        #expect(a.statistics.logitsHash == b.statistics.logitsHash)
    }

    @Test(arguments: ["tiny-llama-f32", "tiny-gemma3-f32", "tiny-llama-q4_k"])
    func aSharedBeginningIsEvaluatedOnce(name: String) async throws {
        let model = try Fixture.model(name)
        let session = try model.makeSession(.plain)
        let beginning = "class Stack:\n    def push(self, item):\n"
        _ = try await session.respond(to: .text(beginning + "        self.items"), options: options)
        let next = Prompt.text(beginning + "        print(item)")
        let warm = try await session.respond(to: next, options: options)
        let shared = try model.tokens(for: .text(beginning)).count
        #expect(warm.statistics.reusedTokens >= shared - 1)
        #expect(warm.statistics.reusedTokens < warm.statistics.promptTokens)
        expectSame(warm, try await cold(model, next))
    }

    @Test func theSamePromptAgainEvaluatesItsLastTokenOnly() async throws {
        let model = try Fixture.model()
        let session = try model.makeSession(.plain)
        let prompt = Prompt.text("for i in range(10):")
        let first = try await session.respond(to: prompt, options: options)
        let again = try await session.respond(to: prompt, options: options)
        #expect(again.statistics.reusedTokens == again.statistics.promptTokens - 1)
        expectSame(first, again)
    }

    @Test func continuingIsLikeNeverHavingStopped() async throws {
        let model = try Fixture.model()
        let session = try model.makeSession(.plain)
        let whole = try await cold(model, .text("let x = ["))
        var tokens: [TokenID] = []
        _ = try await session.respond(to: .text("let x = ["), options: .exactly(0))
        for _ in 0..<4 {
            let response = try await session.respond(to: .tokens(session.tokens), options: .exactly(3))
            tokens += response.statistics.tokens
            #expect(response.statistics.promptTokens - response.statistics.reusedTokens <= 1)
        }
        #expect(tokens == whole.statistics.tokens)
    }

    @Test func nothingInCommonStartsOver() async throws {
        let model = try Fixture.model("tiny-starcoder2-f32")
        let session = try model.makeSession(.plain)
        _ = try await session.respond(to: .text("func"), options: options)
        let warm = try await session.respond(to: .text("class"), options: options)
        #expect(warm.statistics.reusedTokens == 0)
        expectSame(warm, try await cold(model, .text("class")))
    }

    @Test func rewinding() async throws {
        let model = try Fixture.model()
        let session = try model.makeSession(.plain)
        let first = try await session.respond(to: .text("def fib(n):"), options: options)
        let tokens = await session.tokens
        for position in [tokens.count, tokens.count - 1, tokens.count - 5, 3, 0] {
            try await session.rewind(to: position)
            #expect(await session.tokens == Array(tokens.prefix(position)))
        }
        await expectRefusal(.invalidArgument) { try await session.rewind(to: 1) }
        await expectRefusal(.invalidArgument) { try await session.rewind(to: -1) }
        expectSame(first, try await session.respond(to: .text("def fib(n):"), options: options))
    }

    @Test func aPromptOfManySteps() async throws {
        let model = try Fixture.model()
        let session = try model.makeSession(.plain)
        var progress: [Int] = []
        for try await event in session.generate(.text(longText), options: options) {
            if case .progress(let evaluated, let total) = event {
                progress.append(evaluated)
                #expect(total == (try model.tokens(for: .text(longText)).count))
            }
        }
        #expect(progress.count > 2)
        #expect(progress == progress.sorted())
        let next = Prompt.text(longText + "print(x)")
        let warm = try await session.respond(to: next, options: options)
        #expect(warm.statistics.reusedTokens > 512)
        let fresh = try model.makeSession(.plain)
        expectSame(warm, try await fresh.respond(to: next, options: options))
    }
}
