// The mixer's probabilities, and how outcomes change its weights.

import Foundation
import InferCodeSwift
import Testing

struct PredictionMixerTests {
    /// The probability of a token that the text predicts with probability 0.5, with further inputs from `add`.
    private func probability(
        _ mixer: borrowing PredictionMixer, chained: Float = 0.5,
        _ add: (inout PredictionMixer.Evidence) -> Void = { _ in }
    ) -> Float {
        var evidence = PredictionMixer.Evidence()
        evidence.begin(chained: chained, agreeing: 0, isBackOff: false)
        evidence.add(.context, for: 0.5)
        add(&evidence)
        return mixer.probability(evidence)
    }

    @Test func agreementRaisesAndOtherPredictionsLowerTheProbability() {
        let mixer = PredictionMixer()
        let alone = probability(mixer)
        #expect((0.2...0.6).contains(alone))
        #expect(probability(mixer) { $0.add(.repository, for: 0.6) } > alone)
        #expect(probability(mixer) { $0.add(.repository, logRest: PredictionMixer.Evidence.logRest(0.9)) } < alone)
        #expect(probability(mixer, chained: 0.9) > alone)
        // Even impossible inputs give neither 0 nor 1.
        #expect((0.9...0.995).contains(probability(mixer, chained: 1) { $0.add(.history, for: 1) }))
        #expect(
            (0.0001...0.4).contains(probability(mixer, chained: 0) { $0.add(.cursor, logRest: .leastNormalMagnitude) }))
        #expect(PredictionMixer.Evidence.logRest(1).isFinite)
    }

    @Test func outcomesChangeTheWeights() {
        var mixer = PredictionMixer()
        var evidence = PredictionMixer.Evidence()
        evidence.begin(chained: 0.5, agreeing: 1, isBackOff: true)
        evidence.add(.common, for: 0.7)
        evidence.add(.context, logRest: PredictionMixer.Evidence.logRest(0.4))
        let first = mixer.probability(evidence)
        for _ in 0..<300 { mixer.learn(evidence, isRight: false) }
        let unlearned = mixer.probability(evidence)
        #expect(unlearned < first / 2)
        for _ in 0..<2000 { mixer.learn(evidence, isRight: true) }
        #expect(mixer.probability(evidence) > 0.9)
        // The weights of sources without inputs are unchanged.
        let fresh = PredictionMixer()
        #expect(zip(mixer.weights, fresh.weights).contains { $0 == $1 })
        #expect(mixer.weights != fresh.weights)
    }

    /// The names, the inputs and the weights have the same order.
    @Test func inputsAreNamedInTheOrderOfTheWeights() throws {
        let mixer = PredictionMixer()
        var evidence = PredictionMixer.Evidence()
        evidence.begin(chained: 0.5, agreeing: 2, isBackOff: true)
        evidence.add(.common, for: 0.75)
        evidence.add(.preference, logRest: -0.5)
        let named = Dictionary(uniqueKeysWithValues: zip(PredictionMixer.inputNames, evidence.values))
        #expect(named.count == mixer.weights.count)
        #expect(
            named.filter { $0.value != 0 }.keys.sorted() == [
                "agreement", "back_off", "common.odds", "common.offered", "constant", "preference.rest",
                "preference.rivalled",
            ])
        #expect(named["chained"] == 0)
        #expect(named["agreement"] == 2)
        #expect(named["preference.rest"] == -0.5)
        #expect(abs(try #require(named["common.odds"]) - 1.0986) < 0.001)
        let odds = zip(evidence.values, mixer.weights).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(mixer.probability(evidence) - 1 / (1 + exp(-odds))) < 1e-5)
    }

    @Test func weightsAreStoredAndChecked() {
        var mixer = PredictionMixer()
        var weights = mixer.weights
        #expect(PredictionMixer.areWeights(weights))
        for index in weights.indices { weights[index] += 0.5 }
        #expect(PredictionMixer.areWeights(weights))
        mixer.adopt(weights)
        #expect(mixer.weights == weights)
        mixer.adopt([])
        #expect(mixer.weights == weights)
        #expect(PredictionMixer.areWeights([]))
        #expect(!PredictionMixer.areWeights(Array(weights.dropLast())))
        for bad in [Float.nan, .infinity, 101] {
            weights[3] = bad
            #expect(!PredictionMixer.areWeights(weights))
        }
    }
}
