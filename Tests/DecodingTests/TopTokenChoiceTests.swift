// The choice from a row's top tokens equals that from the whole row, or is undecided.

import InferDecoding
import InferTensors
import Testing

@Suite struct TopTokenChoiceTests {
    private static func options(
        temperature: Float = 0, topK: Int = 0, topP: Float = 1, minP: Float = 0, repeatPenalty: Float = 1,
        frequencyPenalty: Float = 0, presencePenalty: Float = 0, bias: [Int32: Float] = [:]
    ) -> SamplingOptions {
        var options = SamplingOptions()
        options.temperature = temperature
        options.topK = topK
        options.topP = topP
        options.minP = minP
        options.repeatPenalty = repeatPenalty
        options.frequencyPenalty = frequencyPenalty
        options.presencePenalty = presencePenalty
        options.penaltyWindow = 20
        options.logitBias = bias
        return options
    }

    private static func topTokens(_ logits: [Float], _ count: Int) -> [TopToken] {
        let all = logits.indices.filter { logits[$0] > -.infinity }
            .map { TopToken(token: Int32($0), logit: logits[$0]) }
        return Array(all.sorted(by: >).prefix(count))
    }

    /// Rows of 300 logits: peaked, flat, with ties, with infinities, with hardly any that can be chosen.
    private static let rows: [[Float]] = {
        let scattered = (0..<300).map { Float($0 &* 7919 % 2003) / 100 - 10 }
        return [
            scattered, scattered.map { $0 / 50 }, scattered.map { ($0 / 4).rounded() },
            scattered.map { $0 > 9 ? .infinity : $0 }, scattered.map { $0 > 9.5 ? $0 : $0 > 0 ? .nan : -.infinity },
            [Float](repeating: .nan, count: 300),
        ]
    }()

    private static let forbidden: [Int32: Float] = [299: -.infinity, 7: -.infinity, 20_000: -.infinity]

    /// These include top tokens of the rows above, several times.
    private static let history = ArraySlice((0..<40).map { Int32($0 * $0 % 7 * 43 % 300) } + [299, 299])

    private static let cases: [(options: SamplingOptions, wanted: Int)] = [
        (options(), 1),
        (options(topK: 3, topP: 0.5, minP: 0.1), 1),
        (options(bias: forbidden), 4),
        (options(temperature: 0.8, topK: 1), 1),
        (options(temperature: 0.8, topK: 40), 40),
        (options(temperature: 3, topK: 20, topP: 0.9, minP: 0.02), 20),
        (options(temperature: 1, topK: 5, bias: forbidden), 8),
        (options(temperature: 1, minP: 0.3), 64),
        (options(temperature: 2, topK: 200, minP: 0.001), 64),
        (options(temperature: 1, topP: 0.9, minP: 0.05), 0),
        (options(temperature: 1, topK: 65), 0),
        (options(temperature: 1), 0),
        (options(repeatPenalty: 1.3), 21),
        (options(frequencyPenalty: 0.5, presencePenalty: 2, bias: [299: -0.5, 3: 0]), 23),
        (options(temperature: 1, topK: 30, topP: 0.9, repeatPenalty: 2, presencePenalty: 30), 50),
        (options(temperature: 1, minP: 0.01, repeatPenalty: 1.1, bias: [299: -1e30]), 64),
        (options(repeatPenalty: 0.9), 0),
        (options(frequencyPenalty: -0.1), 0),
        (options(presencePenalty: -1), 0),
        (options(bias: [3: 1]), 0),
        (options(bias: Dictionary(uniqueKeysWithValues: (0..<80).map { ($0, -.infinity) })), 64),
    ]

    @Test(arguments: cases.indices)
    func choicesAreThoseOfWholeRows(_ index: Int) {
        let (options, wanted) = Self.cases[index]
        let sampler = Sampler(options)
        #expect(sampler.topTokensWanted == wanted)
        var decided = 0
        for row in Self.rows {
            // Fewer and more than were asked for, and all there are.
            for count in [max(wanted / 2, 1), max(wanted, 1), wanted + 6, 300] {
                let topTokens = Self.topTokens(row, count)
                for position in 0..<50 {
                    let whole = row.withUnsafeBufferPointer {
                        sampler.sample($0, position: position, history: Self.history)
                    }
                    switch sampler.choose(
                        among: topTokens, isComplete: topTokens.count < count, position: position, history: Self.history
                    ) {
                    case .token(let token): #expect(token == whole)
                    case .none: #expect(whole == nil)
                    case .undecided: continue
                    }
                    decided += 1
                }
            }
        }
        #expect(decided > 0 || wanted == 0)
        #expect(wanted > 0 || decided == 0)
    }

    @Test func whatIsWantedSufficesWhereNoFilterIsVague() {
        for (options, wanted) in Self.cases where wanted > 0 && wanted < 64 {
            for row in Self.rows {
                let topTokens = Self.topTokens(row, wanted)
                let choice = Sampler(options)
                    .choose(among: topTokens, isComplete: topTokens.count < wanted, position: 9, history: Self.history)
                #expect(choice != .undecided)
            }
        }
    }

    @Test func minPKnowsWhenTheListIsTooShort() {
        let sampler = Sampler(Self.options(temperature: 1, minP: 0.5))
        let row: [Float] = [0, -0.1, -0.2, -3, -4]
        #expect(
            sampler.choose(among: Self.topTokens(row, 3), isComplete: false, position: 0, history: []) == .undecided)
        #expect(
            sampler.choose(among: Self.topTokens(row, 4), isComplete: false, position: 0, history: []) != .undecided)
    }
}
