// What a generation gives, from the first event to the last.

import InferSupport
import SwiftInfer
import TestSupport
import Testing

@Suite struct GenerationTests {
    private let prompt = Prompt.text("func main() -> Int {\n    let x = ")

    @Test func eventsComeInOrder() async throws {
        let session = try Fixture.model().makeSession(.plain)
        var kinds: [String] = []
        var text = ""
        var statistics: Statistics?
        var iterator = session.generate(prompt, options: .exactly(20)).makeAsyncIterator()
        while let event = try await iterator.next() {
            switch event {
            case .progress(let evaluated, let total):
                #expect(evaluated <= total)
                kinds.append("progress")
            case .token: kinds.append("token")
            case .text(let piece):
                #expect(!piece.isEmpty)
                text += piece
                if kinds.last != "text" { kinds.append("text") }
            case .finished(let final):
                statistics = final
                kinds.append("finished")
            }
        }
        #expect(kinds == ["progress", "text", "finished"])
        #expect(try await iterator.next() == nil)
        let final = try #require(statistics)
        #expect(final.finishReason == .length)
        #expect(final.tokens.count == 20)
        #expect(final.steps == 19)
        #expect(final.reusedTokens == 0)
        #expect(final.promptDuration > .zero && final.decodeDuration > .zero)
        let promptTokens = try session.model.tokens(for: prompt)
        #expect(final.promptTokens == promptTokens.count)
        #expect(await session.tokens == promptTokens + final.tokens)
        var detokenizer = StreamingDetokenizer(session.model.tokenizer)
        #expect(text == final.tokens.map { detokenizer.append($0) }.joined() + detokenizer.finish())
    }

    @Test func nothingHappensBeforeItIsAskedFor() async throws {
        let session = try Fixture.model().makeSession(.plain)
        let generation = session.generate(prompt, options: .exactly(5))
        _ = generation.makeAsyncIterator()
        #expect(await session.tokens.isEmpty)
        #expect(try await generation.response().statistics.tokens.count == 5)
    }

    @Test func runsAreReproducible() async throws {
        let model = try Fixture.model()
        let first = try await model.makeSession(.plain).respond(to: prompt, options: .exactly(30))
        let second = try await model.makeSession(.plain).respond(to: prompt, options: .exactly(30))
        #expect(first.text == second.text)
        #expect(first.statistics.tokens == second.statistics.tokens)
        #expect(first.statistics.logitsHash == second.statistics.logitsHash)
        #expect(first.statistics.logitsHash != nil)
        let other = try await model.makeSession(.plain).respond(to: .text("class Stack"), options: .exactly(30))
        #expect(other.statistics.logitsHash != first.statistics.logitsHash)
    }

    @Test func seedsSelectTheText() async throws {
        let model = try Fixture.model()
        func tokens(seed: UInt64) async throws -> [TokenID] {
            let options = GenerationOptions.exactly(30) {
                $0.sampling.temperature = 1
                $0.sampling.seed = seed
            }
            return try await model.makeSession(.plain).respond(to: prompt, options: options).statistics.tokens
        }
        let first = try await tokens(seed: 1)
        #expect(try await tokens(seed: 1) == first)
        #expect(try await tokens(seed: 2) != first)
    }

    @Test func hashOnlyWhenAskedFor() async throws {
        let session = try Fixture.model().makeSession(.plain)
        let options = GenerationOptions.exactly(3) { $0.hashesLogits = false }
        #expect(try await session.respond(to: prompt, options: options).statistics.logitsHash == nil)
    }

    @Test func noTokensAreAskedFor() async throws {
        let session = try Fixture.model().makeSession(.plain)
        let response = try await session.respond(to: prompt, options: .exactly(0))
        #expect(response.text.isEmpty)
        #expect(response.statistics.finishReason == .length)
        #expect(await session.tokens.count == response.statistics.promptTokens)
    }

    @Test func aTokenThatEndsTheTextIsNotText() async throws {
        let model = try Fixture.model()
        let eos = try #require(model.tokenizer.eos)
        var options = GenerationOptions(maximumTokens: 20)
        options.sampling.logitBias = [eos: 1000]
        let response = try await model.makeSession(.plain).respond(to: prompt, options: options)
        #expect(response.text.isEmpty)
        #expect(response.statistics.finishReason == .endOfText)
        #expect(response.statistics.tokens == [eos])
        options.ignoresEndOfText = true
        let endless = try await model.makeSession(.plain).respond(to: prompt, options: options)
        #expect(endless.statistics.tokens.count == 20)
        #expect(!endless.statistics.tokens.contains(where: model.tokenizer.isEndOfGeneration))
    }

    @Test func anEmptyPromptIsTheBeginningOfAText() async throws {
        let model = try Fixture.model("tiny-starcoder2-f32")
        let bos = try #require(model.tokenizer.bos)
        #expect(try model.tokens(for: .text("")) == [bos])
        #expect(try model.tokens(for: .tokens([])) == [bos])
    }

    @Test(arguments: [[-1], [1, 309], [.max], [.min]] as [[TokenID]])
    func tokensOutsideTheVocabularyAreRefused(tokens: [TokenID]) async throws {
        let session = try Fixture.model().makeSession(.plain)
        let before = try await session.respond(to: prompt, options: .exactly(3))
        let held = await session.tokens
        await expectRefusal(.invalidArgument) { try await session.respond(to: .tokens(tokens)) }
        #expect(await session.tokens == held)
        #expect(try await session.respond(to: prompt, options: .exactly(3)).text == before.text)
    }

    @Test func senselessOptionsAreRefused() async throws {
        let session = try Fixture.model().makeSession(.plain)
        for edit in [{ $0.maximumTokens = -1 }, { $0.stop = ["a", ""] }, { $0.sampling.temperature = -1 }]
            as [(inout GenerationOptions) -> Void]
        {
            await expectRefusal(.invalidArgument) { try await session.respond(to: prompt, options: .exactly(3, edit)) }
        }
        #expect(await session.tokens.isEmpty)
    }

    @Test func forbiddingEveryTokenIsAnError() async throws {
        let session = try Fixture.model().makeSession(.plain)
        let options = GenerationOptions.exactly(3) {
            for token in 0..<TokenID(session.model.tokenizer.count) { $0.sampling.logitBias[token] = -.infinity }
        }
        await expectRefusal(.malformedModel, "no token can be chosen") {
            try await session.respond(to: prompt, options: options)
        }
        #expect(try await session.respond(to: prompt, options: .exactly(3)).statistics.tokens.count == 3)
    }

    @Test func logitsOfTheLastToken() async throws {
        let session = try Fixture.model().makeSession(.plain)
        #expect(await session.withLogits { $0.count } == nil)
        _ = try await session.respond(to: prompt, options: .exactly(0))
        let best = await session.withLogits { logits in
            TokenID(logits.indices.max { (logits[$0], $1) < (logits[$1], $0) } ?? -1)
        }
        var options = GenerationOptions.exactly(1)
        options.ignoresEndOfText = false
        let response = try await session.respond(to: prompt, options: options)
        #expect(best == response.statistics.tokens.first)
        #expect(await session.withLogits { $0.count } == nil)
    }
}
