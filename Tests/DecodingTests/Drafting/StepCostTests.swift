// The cost of steps, learned from times that a test makes up.

import InferDecoding
import Testing

@Suite struct StepCostTests {
    /// A curve with a jump, as kernels that take four columns at once have it, in seconds.
    private func time(_ rows: Int) -> Double { 0.010 * (0.8 + 0.2 * Double((rows + 3) / 4)) }

    @Test func nothingIsKnownAtFirst() {
        let cost = StepCost(maximumRows: 64)
        #expect(!cost.isKnown)
        #expect(cost.curve.isEmpty)
        #expect(cost.seconds(rows: 3) == 0)
    }

    @Test func measuredWidthsAreReproduced() {
        var cost = StepCost(maximumRows: 64)
        for _ in 0..<20 { for rows in [1, 2, 4, 5, 8, 16] { cost.observe(rows: rows, seconds: time(rows)) } }
        for rows in [1, 2, 4, 5, 8, 16] { #expect(abs(cost.seconds(rows: rows) / time(rows) - 1) < 0.05) }
        #expect(cost.curve.count == 64)
        #expect(cost.curve[0] == 1)
    }

    @Test func theCurveNeverFalls() {
        var cost = StepCost(maximumRows: 64)
        var state: UInt32 = 7
        for _ in 0..<500 {
            state = state &* 1_664_525 &+ 1_013_904_223
            let rows = Int(state >> 16) % 64 + 1
            cost.observe(rows: rows, seconds: time(rows) * (0.5 + Double(state >> 8 & 0xFF) / 100))
            #expect(zip(cost.curve, cost.curve.dropFirst()).allSatisfy { $0 <= $1 })
        }
    }

    @Test func aPromptTellsWhatAFurtherRowCosts() {
        var cost = StepCost(maximumRows: 64)
        cost.observePrompt(rows: 500, seconds: 0.5)
        cost.observe(rows: 1, seconds: 0.010)
        #expect(abs(cost.seconds(rows: 11) - 0.020) < 1e-9)
        // Few rows say nothing about that.
        cost.observePrompt(rows: 3, seconds: 0.0001)
        #expect(abs(cost.seconds(rows: 11) - 0.020) < 1e-9)
    }

    @Test func oneInterruptedStepDoesNotSpoilTheCurve() {
        var cost = StepCost(maximumRows: 64)
        for _ in 0..<10 { for rows in 1...8 { cost.observe(rows: rows, seconds: time(rows)) } }
        let before = cost.curve[3]
        cost.observe(rows: 4, seconds: 10)
        #expect(cost.curve[3] < 1.1 * before)
    }

    @Test func aSlowFirstMeasurementIsForgiven() {
        var cost = StepCost(maximumRows: 8)
        cost.observe(rows: 1, seconds: 0.010)
        cost.observe(rows: 3, seconds: 0.011)
        cost.observe(rows: 2, seconds: 1)
        #expect(cost.seconds(rows: 2) < 0.016)
        let before = cost.seconds(rows: 2)
        for _ in 0..<300 { cost.observe(rows: 1, seconds: 0.010) }
        #expect(cost.seconds(rows: 2) < before)
    }

    @Test func givenCurvesStay() {
        var cost = StepCost(seconds: [1, 1.5, 4])
        cost.observe(rows: 2, seconds: 100)
        cost.observePrompt(rows: 1000, seconds: 1)
        #expect(cost.curve == [1, 1.5, 4])
        #expect(cost.seconds(rows: 3) == 4)
        // Beyond its end it says what it says there.
        #expect(cost.seconds(rows: 9) == 4)
    }

    @Test func senselessMeasurementsAreIgnored() {
        var cost = StepCost(maximumRows: 4)
        cost.observe(rows: 0, seconds: 1)
        cost.observe(rows: 5, seconds: 1)
        cost.observe(rows: 1, seconds: 0)
        cost.observe(rows: 1, seconds: .nan)
        #expect(!cost.isKnown)
    }
}
