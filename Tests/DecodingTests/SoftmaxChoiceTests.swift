// The choice from a row's top tokens and its softmax's sums equals that from the whole row, or is undecided.

import InferDecoding
import InferSupport
import InferTensors
import Testing

@Suite struct SoftmaxChoiceTests {
    private static func options(temperature: Float, topP: Float = 1, minP: Float = 0) -> SamplingOptions {
        var options = SamplingOptions()
        options.temperature = temperature
        options.topP = topP
        options.minP = minP
        options.seed = 5
        return options
    }

    private static let cases = [
        options(temperature: 1), options(temperature: 0.3), options(temperature: 8), options(temperature: 1e-30),
        options(temperature: 1, topP: 0.9), options(temperature: 0.7, topP: 0.5, minP: 0.2),
        options(temperature: 2, topP: 0.999), options(temperature: 1, topP: 0x1p-20),
    ]

    /// Rows of 2,000 logits: peaked, of one likely token, flat, with many ties, with values that cannot be chosen.
    private static let rows: [[Float]] = {
        let scattered = (0..<2000).map { Float($0 &* 7919 % 2003) / 100 - 10 }
        return [
            scattered, scattered.enumerated().map { $0 == 1234 ? 30 : $1 }, scattered.map { $0 / 500 },
            scattered.map { ($0 / 3).rounded() }, scattered.map { $0 > 8 ? $0 * 3 : $0 > 0 ? .nan : -.infinity },
        ]
    }()

    /// A row's top tokens and its sums, whose errors are `error` times the largest allowed error.
    private static func known(
        _ logits: [Float], _ count: Int, scale: Float, error: Double
    ) -> (topTokens: [TopToken], sums: SoftmaxSums) {
        let eligible = logits.indices.filter { logits[$0] > -.infinity }
            .map { TopToken(token: Int32($0), logit: logits[$0]) }
        let topTokens = Array(eligible.sorted(by: >).prefix(count))
        let largest = topTokens.first?.logit ?? 0
        var sum = 0.0
        var before: [Int32: Double] = [:]
        for top in eligible {
            before[top.token] = sum
            sum += Double(((top.logit - largest) * scale).exponentialOfNonPositive)
        }
        let exact = SoftmaxSums(total: 0, before: [], tokenCount: logits.count)
        let slack = error * exact.error * sum
        let sums = SoftmaxSums(
            total: Float(sum + slack), before: topTokens.map { Float((before[$0.token] ?? 0) - slack) },
            tokenCount: logits.count)
        return (topTokens, sums)
    }

    @Test(arguments: cases.indices, [-0.9, 0, 0.9])
    func choicesAreThoseOfWholeRows(_ index: Int, _ error: Double) throws {
        let sampler = Sampler(Self.cases[index])
        let scale = try #require(sampler.softmaxScale)
        var decided = 0
        for row in Self.rows {
            for count in [6, 64] {
                let (topTokens, sums) = Self.known(row, count, scale: scale, error: error)
                for position in 0..<200 {
                    let choice = sampler.choose(
                        among: topTokens, isComplete: false, sums: sums, position: position, history: [])
                    guard choice != .undecided else { continue }
                    decided += 1
                    let whole = row.withUnsafeBufferPointer {
                        sampler.sample($0, position: position, history: [])
                    }
                    #expect(choice == whole.map(Sampler.Choice.token) ?? .none)
                }
            }
        }
        #expect(decided > 100)
    }

    @Test("A row like a model's is nearly always decided", arguments: [Float(1), 0.9])
    func isDecided(topP: Float) throws {
        let sampler = Sampler(Self.options(temperature: 0.8, topP: topP))
        let scale = try #require(sampler.softmaxScale)
        // Falling by the rank, as a language model's probabilities do.
        var row = [Float](repeating: 0, count: 2000)
        for rank in row.indices { row[rank &* 7919 % 2000] = -2 * Float(rank + 1).squareRoot() }
        let (topTokens, sums) = Self.known(row, 64, scale: scale, error: 0.5)
        let undecided = (0..<1000)
            .count {
                sampler.choose(among: topTokens, isComplete: false, sums: sums, position: $0, history: []) == .undecided
            }
        #expect(undecided < 10)
    }

    @Test("Sums that are no numbers decide nothing", arguments: [Float.nan, .infinity, 0, -1])
    func senselessSums(total: Float) {
        let topTokens = [TopToken(token: 3, logit: 2), TopToken(token: 1, logit: 1)]
        let sums = SoftmaxSums(total: total, before: [total, .nan], tokenCount: 100)
        for options in Self.cases {
            let choice = Sampler(options)
                .choose(among: topTokens, isComplete: false, sums: sums, position: 0, history: [])
            #expect(choice == .undecided)
        }
    }

    @Test("Where sums are of no use, none are asked for")
    func usefulSums() {
        var options = Self.options(temperature: 0)
        #expect(Sampler(options).softmaxScale == nil)
        options = Self.options(temperature: 0.5)
        #expect(Sampler(options).softmaxScale == 2)
        options.topP = 0.9
        #expect(Sampler(options).softmaxScale == 1)
        options.topK = 40
        #expect(Sampler(options).softmaxScale == nil)
        options.topK = 0
        options.repeatPenalty = 1.1
        #expect(Sampler(options).softmaxScale == nil)
        options = Self.options(temperature: 0.5, minP: 0.1)
        #expect(Sampler(options).softmaxScale == nil)
    }
}
