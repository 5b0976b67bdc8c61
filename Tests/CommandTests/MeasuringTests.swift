// `swiftinfer logprobs` and `swiftinfer perplexity` through the built program.

import Foundation
import TestSupport
import Testing

struct MeasuringTests {
    /// The rows of a `logprobs` run: for each position the ids and log-probabilities in the printed order.
    private func rows(_ model: String, _ tokens: [Int], _ options: String...) throws -> [[(Int, Double)]] {
        let list = tokens.map(String.init).joined(separator: ",")
        let object = try Command(["logprobs", model, "--tokens", list, "--json"] + options).json()
        let rows = try #require(object["rows"] as? [[String: Any]])
        #expect(rows.map { $0["position"] as? Int } == Array(tokens.indices))
        return try rows.map { row in
            try (#require(row["top"] as? [[Double]])).map { (Int($0[0]), $0[1]) }
        }
    }

    @Test func logprobsAgreeWithLlamaCpp() throws {
        let reference = try Fixture.named("tiny-llama-f32").cases[1]
        let tokens = reference.promptTokens + reference.steps.map(\.token)
        let rows = try rows(Fixture.llama, tokens, "--top", "40")
        var error = 0.0
        var count = 0.0
        for (step, row) in zip(reference.steps, rows.dropFirst(reference.promptTokens.count - 1)) {
            let found = Dictionary(uniqueKeysWithValues: row)
            for pair in step.top.prefix(10) {
                error += abs((found[Int(pair[0])] ?? 0) - pair[1]) * exp(pair[1])
                count += 1
            }
        }
        #expect(count == 240)
        #expect(error / count < 0.002)
    }

    @Test func logprobsAreSortedAndSumToOne() throws {
        for row in try rows(Fixture.llama, [304, 1, 2, 3], "--top", "1000") {
            #expect(row.count == 309)
            #expect(zip(row, row.dropFirst()).allSatisfy { $0.1 >= $1.1 })
            #expect(abs(row.reduce(0) { $0 + exp($1.1) } - 1) < 1e-5)
        }
    }

    @Test func logprobsTableNamesTokens() throws {
        let run = try Command("logprobs", Fixture.llama, "--tokens", "304,40", "--top", "3")
        #expect(run.status == 0)
        #expect(run.output.split(separator: "\n").count == 8)
        #expect(run.output.contains("\"(\""))
    }

    @Test func tokensOutsideTheVocabularyAreRefused() throws {
        for tokens in ["309", "-1", "1,2147483647"] {
            #expect(try Command("logprobs", Fixture.llama, "--tokens=" + tokens, "--json").isCleanFailure)
        }
    }

    /// Computes the perplexity from `logprobs`: chunks of the context's length with BOS first, second halves scored.
    @Test func perplexityAgreesWithLogprobs() throws {
        let text = String(repeating: "for item in items:\n    print(item)\n", count: 6)
        let tokens = try #require(
            try Command("tokenize", Fixture.llama, "--json", input: String(text.dropLast())).json()["tokens"] as? [Int])
        let run = try Command("perplexity", Fixture.llama, "-", "--context", "16", "--json", input: text)
        #expect(run.errors.isEmpty)
        let object = try run.json()
        let chunks = tokens.count / 16
        #expect(chunks > 2)
        #expect(object["tokens"] as? Int == tokens.count)
        #expect(object["chunks"] as? Int == chunks)
        #expect(object["context"] as? Int == 16)
        var sum = 0.0
        for chunk in 0..<chunks {
            var window = Array(tokens[chunk * 16..<chunk * 16 + 16])
            window[0] = 304
            let rows = try rows(Fixture.llama, window, "--top", "309", "--kv-type", "f16")
            for position in 8..<15 {
                sum -= try #require(rows[position].first { $0.0 == window[position + 1] }).1
            }
        }
        let expected = exp(sum / Double(chunks * 7))
        let perplexity = try #require(object["perplexity"] as? Double)
        #expect(abs(perplexity / expected - 1) < 1e-5)
    }

    @Test func perplexityPrintsProgressToStandardError() throws {
        let text = String(repeating: "a b c d e f g\n", count: 20)
        let run = try Command("perplexity", Fixture.llama, "-", "--context", "32", "--chunks", "2", input: text)
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("perplexity "))
        #expect(run.errors.split(separator: "\n").count == 2)
    }

    @Test func perplexityNeedsTwoChunks() throws {
        let run = try Command("perplexity", Fixture.llama, "-", input: "too short")
        #expect(run.isCleanFailure)
        #expect(run.errors.contains("1024"))
    }
}
