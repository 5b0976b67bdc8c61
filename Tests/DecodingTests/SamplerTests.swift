// What each sampling option does, and in which order they act.

import InferDecoding
import InferSupport
import Testing

@Suite struct SamplerTests {
    /// The tokens that come up at some of many positions.
    private func support(
        _ logits: [Float], history: [Int32] = [], _ edit: (inout SamplingOptions) -> Void
    ) -> Set<Int32> {
        var options = SamplingOptions()
        options.temperature = 1
        edit(&options)
        let sampler = Sampler(options)
        return logits.withUnsafeBufferPointer { logits in
            Set((0..<3000).compactMap { sampler.sample(logits, position: $0, history: history[...]) })
        }
    }

    private func greedy(
        _ logits: [Float], history: [Int32] = [], _ edit: (inout SamplingOptions) -> Void = { _ in }
    ) -> Int32? {
        var options = SamplingOptions()
        edit(&options)
        return logits.withUnsafeBufferPointer { Sampler(options).sample($0, position: 0, history: history[...]) }
    }

    @Test func greedyTakesTheLargestLogit() {
        #expect(greedy([1, 3, 2]) == 1)
        #expect(greedy([3, 3, 2]) == 0)
        #expect(greedy([.nan, -1, -2]) == 1)
        #expect(
            greedy([1, 3, 2]) {
                $0.topK = 2; $0.topP = 0.5; $0.minP = 0.5
            } == 1)
    }

    @Test func nothingToChoose() {
        #expect(greedy([]) == nil)
        #expect(greedy([.nan, -.infinity]) == nil)
        #expect(support([.nan, .nan]) { _ in }.isEmpty)
        #expect(greedy([0, 0]) { $0.logitBias = [0: -.infinity, 1: -.infinity] } == nil)
    }

    @Test func topKKeepsTheLowerIDsOfEquals() {
        #expect(support([1, 2, 2, 2, 0]) { $0.topK = 2 } == [1, 2])
        #expect(support([1, 2, 2, 2, 0]) { $0.topK = 1 } == [1])
        #expect(support([1, 2, 2, 2, 0]) { $0.topK = 50 } == [0, 1, 2, 3, 4])
        #expect(support([Float](repeating: 1, count: 300)) { $0.topK = 40 } == Set(0..<40))
        let ascending = (0..<300).map { Float($0) / 1000 }
        #expect(support(ascending) { $0.topK = 40 } == Set(260..<300))
    }

    @Test func topPKeepsTheFewestThatReachIt() {
        // Probabilities 0.5, 0.25, 0.125, 0.125.
        let logits: [Float] = [0, 1, 2, 0].map { $0 * 0.693_147_2 }
        #expect(support(logits) { $0.topP = 0.4 } == [2])
        #expect(support(logits) { $0.topP = 0.6 } == [1, 2])
        #expect(support(logits) { $0.topP = 0.8 } == [0, 1, 2])
        #expect(support(logits) { $0.topP = 0.9 } == [0, 1, 2, 3])
        #expect(support(logits) { $0.topP = 1e-6 } == [2])
    }

    @Test func topPCountsAmongWhatTopKLeft() {
        // Of 0.5, 0.25, 0.125, 0.125, top-k 2 leaves 2/3 and 1/3: 0.6 is reached by the first alone.
        let logits: [Float] = [0, 1, 2, 0].map { $0 * 0.693_147_2 }
        #expect(
            support(logits) {
                $0.topP = 0.6; $0.topK = 2
            } == [2])
    }

    @Test func topPActsBeforeTheTemperature() {
        // At temperature 10 the four are nearly equally likely; the nucleus is chosen before that.
        let logits: [Float] = [0, 1, 2, 0].map { $0 * 0.693_147_2 }
        #expect(
            support(logits) {
                $0.topP = 0.6; $0.temperature = 10
            } == [1, 2])
    }

    @Test func minPIsRelativeToTheLargestProbability() {
        let logits: [Float] = [0, 1, 2, 0].map { $0 * 0.693_147_2 }
        #expect(support(logits) { $0.minP = 0.3 } == [1, 2])
        #expect(support(logits) { $0.minP = 0.2 } == [0, 1, 2, 3])
        #expect(support(logits) { $0.minP = 0.6 } == [2])
        #expect(support([2, 2, 1]) { $0.minP = 1 } == [0, 1])
    }

    @Test func repeatPenaltyShrinksPositiveAndGrowsNegativeLogits() {
        #expect(greedy([2, 1.5], history: [0]) { $0.repeatPenalty = 1.5 } == 1)
        #expect(greedy([2, 1.5], history: [0]) { $0.repeatPenalty = 1.2 } == 0)
        #expect(greedy([-1, -1.4], history: [0]) { $0.repeatPenalty = 1.5 } == 1)
        // However often it occurred, it applies once.
        #expect(greedy([2, 1.5], history: [0, 0, 0]) { $0.repeatPenalty = 1.2 } == 0)
    }

    @Test func frequencyAndPresencePenalties() {
        #expect(greedy([2, 1.5], history: [0]) { $0.frequencyPenalty = 0.2 } == 0)
        #expect(greedy([2, 1.5], history: [0, 0, 0]) { $0.frequencyPenalty = 0.2 } == 1)
        #expect(greedy([2, 1.5], history: [0, 0, 0]) { $0.presencePenalty = 0.4 } == 0)
        #expect(greedy([2, 1.5], history: [0]) { $0.presencePenalty = 0.6 } == 1)
        #expect(greedy([1.5, 2], history: [1]) { $0.presencePenalty = -1 } == 1)
    }

    @Test func penaltiesLookAtTheWindowOnly() {
        let history: [Int32] = [0] + [Int32](repeating: 2, count: 64)
        #expect(greedy([2, 1.5, 0], history: history) { $0.presencePenalty = 1 } == 0)
        #expect(
            greedy([2, 1.5, 0], history: history) {
                $0.presencePenalty = 1; $0.penaltyWindow = 65
            } == 1)
        #expect(
            greedy([2, 1.5], history: [0]) {
                $0.presencePenalty = 1; $0.penaltyWindow = 0
            } == 0)
        #expect(greedy([2, 1.5], history: [-1, 2, 99]) { $0.presencePenalty = 1 } == 0)
    }

    @Test func biasActsBeforeThePenalties() {
        // 1 + 2 = 3, halved to 1.5; the other order would give 0.5 + 2 = 2.5.
        #expect(
            greedy([1, 2], history: [0]) {
                $0.logitBias = [0: 2]; $0.repeatPenalty = 2
            } == 1)
        #expect(greedy([1, 2]) { $0.logitBias = [0: 2] } == 0)
        #expect(greedy([1, 2]) { $0.logitBias = [1: -.infinity, 7: 5, -1: 5] } == 0)
    }

    @Test func notANumberIsNeverDrawn() {
        #expect(support([.nan, 0, .nan, 0]) { _ in } == [1, 3])
        #expect(
            support([.nan, 0, .nan, 0]) {
                $0.topK = 3; $0.topP = 0.99; $0.minP = 0.1
            } == [1, 3])
        #expect(support([0, .infinity, 3, .infinity]) { _ in } == [1, 3])
        #expect(
            support([0, .infinity, 3]) {
                $0.topP = 0.5; $0.minP = 0.5
            } == [1])
    }

    @Test func theDrawDependsOnSeedAndPositionAlone() {
        let logits = [Float](repeating: 0, count: 1000)
        func draws(seed: UInt64, _ positions: [Int]) -> [Int32?] {
            var options = SamplingOptions()
            options.temperature = 1
            options.seed = seed
            let sampler = Sampler(options)
            return logits.withUnsafeBufferPointer { logits in
                positions.map { sampler.sample(logits, position: $0, history: [1, 2]) }
            }
        }
        let forward = draws(seed: 5, Array(0..<50))
        #expect(forward == draws(seed: 5, Array((0..<50).reversed())).reversed())
        #expect(forward != draws(seed: 6, Array(0..<50)))
        #expect(Set(forward).count > 40)
    }

    @Test func veryLowTemperatureIsGreedyNotANumber() {
        #expect(support([1, 3, 2]) { $0.temperature = .leastNonzeroMagnitude } == [1])
        #expect(support([1, 3, 3]) { $0.temperature = 1e-30 } == [1, 2])
    }

    @Test func senselessOptionsAreRefusedByName() {
        func message(_ edit: (inout SamplingOptions) -> Void) -> String? {
            var options = SamplingOptions()
            edit(&options)
            do throws(InferenceError) {
                try options.validate()
                return nil
            } catch {
                return error.code == .invalidArgument ? error.message : "another code"
            }
        }
        #expect(message { _ in } == nil)
        #expect(message { $0.temperature = -1 }?.contains("temperature") == true)
        #expect(message { $0.temperature = .nan }?.contains("temperature") == true)
        #expect(message { $0.topK = -1 }?.contains("top-k") == true)
        #expect(message { $0.topP = 0 }?.contains("top-p") == true)
        #expect(message { $0.topP = 1.1 }?.contains("top-p") == true)
        #expect(message { $0.minP = -0.1 }?.contains("min-p") == true)
        #expect(message { $0.repeatPenalty = 0 }?.contains("repeat penalty") == true)
        #expect(message { $0.frequencyPenalty = .infinity }?.contains("frequency") == true)
        #expect(message { $0.presencePenalty = .nan }?.contains("presence") == true)
        #expect(message { $0.penaltyWindow = -1 }?.contains("window") == true)
        #expect(message { $0.logitBias = [3: .nan] }?.contains("token 3") == true)
    }
}
