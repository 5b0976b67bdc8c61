// Answers that repeat themselves, and the sampling that a file recommends.

import InferGGUF
import SwiftInfer
import TestSupport
import Testing

struct LoopTests {
    /// The number of tokens after which a loop is found; nil for none.
    private func end(of tokens: [Int32]) -> Int? {
        var detector = LoopDetector()
        return tokens.firstIndex { detector.append($0) }.map { $0 + 1 }
    }

    private func cycle(_ length: Int, times: Int) -> [Int32] {
        (0..<length * times).map { Int32($0 % length) }
    }

    @Test(arguments: [10, 11, 64, 512]) func tenRepetitionsAreALoop(length: Int) {
        let start: [Int32] = [900, 901, 902]
        #expect(end(of: start + cycle(length, times: 20)) == start.count + 10 * length)
        #expect(end(of: start + cycle(length, times: 9)) == nil)
    }

    @Test func shortCyclesNeedAHundredTokens() {
        #expect(end(of: cycle(1, times: 200)) == 100)
        #expect(end(of: cycle(3, times: 33)) == nil)
        #expect(end(of: cycle(3, times: 34)) == 100)
    }

    @Test func changesEndARun() {
        var tokens = cycle(20, times: 9)
        tokens += [900] + cycle(20, times: 9)
        #expect(end(of: tokens) == nil)
        #expect(end(of: cycle(600, times: 12)) == nil)
        // Numbers that count on are no cycle.
        #expect(end(of: (0..<200).flatMap { [7, 8, $0, 9] }) == nil)
    }

    @Test func loopingAnswerIsEnded() async throws {
        let model = try Fixture.model()
        let session = try model.makeSession(.init(contextLength: 4096, drafter: .none))
        var options = GenerationOptions(maximumTokens: 2000)
        options.ignoresEndOfText = true
        let free = try await session.respond(to: .text("x"), options: options)
        options.stopsLoops = true
        let ended = try await session.respond(to: .text("x"), options: options)
        #expect(free.statistics.finishReason == .length)
        if end(of: free.statistics.tokens) == nil {
            #expect(ended.statistics.tokens == free.statistics.tokens)
        } else {
            #expect(ended.statistics.finishReason == .loop)
            #expect(ended.statistics.tokens.count == end(of: free.statistics.tokens))
            #expect(free.statistics.tokens.starts(with: ended.statistics.tokens))
        }
    }

    // MARK: Recommendations

    @Test func recommendedSamplingIsRead() throws {
        var metadata = Metadata()
        #expect(SamplingOptions(recommendedBy: metadata) == nil)
        metadata["general.sampling.temp"] = .float32(0.6)
        metadata["general.sampling.top_k"] = .int32(20)
        metadata["general.sampling.top_p"] = .float32(0.95)
        metadata["general.sampling.penalty_last_n"] = .int32(-1)
        let options = try #require(SamplingOptions(recommendedBy: metadata))
        #expect(options.temperature == 0.6 && options.topK == 20 && options.topP == 0.95)
        #expect(options.minP == 0 && options.repeatPenalty == 1 && options.penaltyWindow > 1 << 20)
    }

    @Test func badRecommendationsAreNone() {
        for (key, value) in [
            ("temp", MetadataValue.float32(-1)), ("top_p", .float32(2)), ("temp", .string("x")),
            ("mirostat", .int32(2)),
            ("top_k", .float32(1e30)),
        ] {
            var metadata = Metadata()
            metadata["general.sampling." + key] = value
            let options = SamplingOptions(recommendedBy: metadata)
            #expect(options == nil || options?.topK == 0, "\(key)")
        }
    }
}
