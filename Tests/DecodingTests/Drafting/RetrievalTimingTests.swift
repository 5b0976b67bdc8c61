// Asking where it pays.

import InferDecoding
import Testing

struct RetrievalTimingTests {
    /// How often of `steps` times the drafter is asked after a token of class `tokenClass` when that brings `saving` of a step.
    private func asked(_ timing: inout RetrievalTiming, _ tokenClass: UInt8, _ saving: Double, steps: Int) -> Int {
        (0..<steps).count { _ in
            guard timing.isTime(after: tokenClass) else { return false }
            timing.learn(tokenClass, saving: saving, plain: 1)
            return true
        }
    }

    @Test func whereItPaysItIsAlwaysTime() {
        var timing = RetrievalTiming()
        #expect(asked(&timing, 1, 0.3, steps: 500) == 500)
        // What costs next to nothing needs no gain.
        #expect(asked(&timing, 2, -0.001, steps: 500) == 500)
    }

    @Test func lossesAreMetSeldomAndByThemselves() {
        var timing = RetrievalTiming()
        #expect(asked(&timing, 1, 0.3, steps: 50) == 50)
        let losses = asked(&timing, 2, -0.1, steps: 1000)
        #expect((8...30).contains(losses))
        // The other class is none the worse.
        #expect(asked(&timing, 1, 0.3, steps: 50) == 50)
    }

    @Test func whatPaysAgainIsFoundAgain() {
        var timing = RetrievalTiming()
        _ = asked(&timing, 3, -0.05, steps: 200)
        _ = asked(&timing, 3, 2, steps: 600)
        #expect(asked(&timing, 3, 2, steps: 100) == 100)
    }
}
