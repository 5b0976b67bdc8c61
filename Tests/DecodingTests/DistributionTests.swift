// What is drawn over many positions follows the distribution that the options describe.

import InferDecoding
import Testing

@Suite struct DistributionTests {
    static let logits: [Float] = [1.3, -0.4, 2.1, 0.2, 0.9, -3, 1.7, 0.05, -1.1, 0.6, 2.05, -0.2]

    static func options(_ edit: (inout SamplingOptions) -> Void) -> SamplingOptions {
        var options = SamplingOptions()
        options.temperature = 1
        options.seed = 11
        edit(&options)
        return options
    }

    static let cases: [SamplingOptions] = [
        options { _ in },
        options { $0.temperature = 0.5 },
        options { $0.temperature = 1.7 },
        options { $0.topK = 5 },
        options { $0.topP = 0.7 },
        options { $0.minP = 0.2 },
        options {
            $0.topK = 8
            $0.topP = 0.9
            $0.minP = 0.15
            $0.temperature = 0.8
        },
        options {
            $0.repeatPenalty = 1.3
            $0.frequencyPenalty = 0.2
            $0.presencePenalty = 0.1
        },
        options { $0.logitBias = [2: -.infinity, 5: 4] },
    ]

    @Test(arguments: cases) func drawsFollowTheDistribution(options: SamplingOptions) {
        let history: [Int32] = [2, 10, 2, 5, 2]
        let expected = referenceDistribution(Self.logits, options, history: history)
        let sampler = Sampler(options)
        let draws = 20_000
        var counts: [Int32: Int] = [:]
        Self.logits.withUnsafeBufferPointer { logits in
            for position in 0..<draws {
                guard let token = sampler.sample(logits, position: position, history: history[...]) else { continue }
                counts[token, default: 0] += 1
            }
        }
        #expect(Set(counts.keys).isSubset(of: expected.keys))
        #expect(counts.values.reduce(0, +) == draws)
        let chiSquare = expected.reduce(0.0) { sum, entry in
            let mean = entry.value * Double(draws)
            let difference = Double(counts[entry.key] ?? 0) - mean
            return sum + difference * difference / mean
        }
        // Above the 99.9 % quantile for at most 11 degrees of freedom; the draws are fixed by the seed.
        #expect(chiSquare < 31.3)
    }

    @Test func anotherDistributionWouldBeNoticed() {
        // The control of the test above: the same statistic, with draws at another temperature.
        let expected = referenceDistribution(Self.logits, Self.options { $0.temperature = 1.1 })
        let sampler = Sampler(Self.cases[0])
        var counts: [Int32: Int] = [:]
        Self.logits.withUnsafeBufferPointer { logits in
            for position in 0..<20_000 {
                guard let token = sampler.sample(logits, position: position, history: []) else { continue }
                counts[token, default: 0] += 1
            }
        }
        let chiSquare = expected.reduce(0.0) { sum, entry in
            let difference = Double(counts[entry.key] ?? 0) - entry.value * 20_000
            return sum + difference * difference / (entry.value * 20_000)
        }
        #expect(chiSquare > 31.3)
    }
}
