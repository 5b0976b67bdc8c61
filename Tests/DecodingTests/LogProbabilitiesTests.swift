// Log-softmax and the top tokens.

import Foundation
import InferDecoding
import Testing

@Suite struct LogProbabilitiesTests {
    @Test func agreesWithTheDefinition() {
        let logits: [Float] = [1, -2, 3.5, 3.5, -40, 0]
        let sum = logits.reduce(0.0) { $0 + exp(Double($1)) }
        logits.withUnsafeBufferPointer { buffer in
            let distribution = LogProbabilities(buffer)
            for (token, logit) in logits.enumerated() {
                #expect(abs(distribution[Int32(token)] - (Double(logit) - log(sum))) < 1e-12)
            }
        }
    }

    @Test func largeLogitsDoNotOverflow() {
        let logits: [Float] = [3e38, 3e38, -3e38]
        logits.withUnsafeBufferPointer { buffer in
            let distribution = LogProbabilities(buffer)
            #expect(abs(distribution[0] + log(2)) < 1e-12)
            #expect(distribution[2] < -1e38)
        }
    }

    @Test func impossibleTokens() {
        let logits: [Float] = [.nan, 0, -.infinity, 0]
        logits.withUnsafeBufferPointer { buffer in
            let distribution = LogProbabilities(buffer)
            #expect(distribution[0] == -.infinity)
            #expect(distribution[2] == -.infinity)
            #expect(abs(distribution[1] + log(2)) < 1e-12)
            #expect(distribution.top(10).map(\.token) == [1, 3])
        }
        [Float](repeating: .nan, count: 3).withUnsafeBufferPointer { buffer in
            #expect(LogProbabilities(buffer)[1] == -.infinity)
            #expect(LogProbabilities(buffer).top(2).isEmpty)
        }
        [Float]([1, .infinity]).withUnsafeBufferPointer { buffer in
            #expect(LogProbabilities(buffer)[1] == 0)
            #expect(LogProbabilities(buffer)[0] == -.infinity)
        }
    }

    @Test func topIsSortedWithTiesByID() {
        let logits = (0..<1000).map { Float($0 * 37 % 100) }
        let expected = logits.indices.sorted { (logits[$1], $0) < (logits[$0], $1) }
        logits.withUnsafeBufferPointer { buffer in
            let distribution = LogProbabilities(buffer)
            for count in [0, 1, 2, 31, 32, 33, 500, 1000, 2000] {
                let top = distribution.top(count)
                #expect(top.map { Int($0.token) } == Array(expected.prefix(count)))
                #expect(top.allSatisfy { $0.logProbability == Float(distribution[$0.token]) })
            }
        }
    }
}
