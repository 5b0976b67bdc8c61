// What sources are worth beside each other.

import Foundation
import InferCodeSwift
import Testing

struct GuessMixerTests {
    /// What speaks for a guess that the text offers with one half, and what else is said.
    private func probability(
        _ mixer: borrowing GuessMixer, chained: Float = 0.5, _ add: (inout GuessMixer.Evidence) -> Void = { _ in }
    ) -> Float {
        var evidence = GuessMixer.Evidence()
        evidence.begin(chained: chained, agreeing: 0, isBackOff: false)
        evidence.add(.context, for: 0.5)
        add(&evidence)
        return mixer.probability(evidence)
    }

    @Test func agreementRaisesAndRivalsLower() {
        let mixer = GuessMixer()
        let alone = probability(mixer)
        #expect((0.2...0.6).contains(alone))
        #expect(probability(mixer) { $0.add(.repository, for: 0.6) } > alone)
        #expect(probability(mixer) { $0.add(.repository, logRest: GuessMixer.Evidence.logRest(0.9)) } < alone)
        #expect(probability(mixer, chained: 0.9) > alone)
        // Nothing is certain or impossible, not even with impossible inputs.
        #expect((0.9...0.995).contains(probability(mixer, chained: 1) { $0.add(.history, for: 1) }))
        #expect(
            (0.0001...0.4).contains(probability(mixer, chained: 0) { $0.add(.cursor, logRest: .leastNormalMagnitude) }))
        #expect(GuessMixer.Evidence.logRest(1).isFinite)
    }

    @Test func outcomesMoveTheWeights() {
        var mixer = GuessMixer()
        var evidence = GuessMixer.Evidence()
        evidence.begin(chained: 0.5, agreeing: 1, isBackOff: true)
        evidence.add(.common, for: 0.7)
        evidence.add(.context, logRest: GuessMixer.Evidence.logRest(0.4))
        let first = mixer.probability(evidence)
        for _ in 0..<300 { mixer.learn(evidence, isRight: false) }
        let unlearned = mixer.probability(evidence)
        #expect(unlearned < first / 2)
        for _ in 0..<2000 { mixer.learn(evidence, isRight: true) }
        #expect(mixer.probability(evidence) > 0.9)
        // Sources that said nothing are what they were.
        let fresh = GuessMixer()
        #expect(zip(mixer.weights, fresh.weights).contains { $0 == $1 })
        #expect(mixer.weights != fresh.weights)
    }

    /// The inputs stand where their weights do, whose names say which they are.
    @Test func inputsAreNamedInTheOrderOfTheWeights() throws {
        let mixer = GuessMixer()
        var evidence = GuessMixer.Evidence()
        evidence.begin(chained: 0.5, agreeing: 2, isBackOff: true)
        evidence.add(.common, for: 0.75)
        evidence.add(.preference, logRest: -0.5)
        let named = Dictionary(uniqueKeysWithValues: zip(GuessMixer.inputNames, evidence.values))
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

    @Test func weightsAreKept() {
        var mixer = GuessMixer()
        var weights = mixer.weights
        #expect(GuessMixer.areWeights(weights))
        for index in weights.indices { weights[index] += 0.5 }
        #expect(GuessMixer.areWeights(weights))
        mixer.adopt(weights)
        #expect(mixer.weights == weights)
        mixer.adopt([])
        #expect(mixer.weights == weights)
        #expect(GuessMixer.areWeights([]))
        #expect(!GuessMixer.areWeights(Array(weights.dropLast())))
        for bad in [Float.nan, .infinity, 101] {
            weights[3] = bad
            #expect(!GuessMixer.areWeights(weights))
        }
    }
}
