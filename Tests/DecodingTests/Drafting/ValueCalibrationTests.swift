// The outcomes of drafts correct later values.

import InferDecoding
import Testing

@Suite struct ValueCalibrationTests {
    private func tree(_ value: Float, tag: UInt16 = 0) -> DraftTree {
        var tree = DraftTree()
        tree.insert(1, value: value, tag: tag)
        tree.insert(2, after: 0, value: value * value, tag: tag)
        return tree
    }

    @Test func nothingIsCorrectedAtFirst() {
        let tree = tree(0.5)
        #expect(ValueCalibration().values(of: tree) == tree.values)
    }

    @Test func boastersAreSoonDisbelieved() {
        var calibration = ValueCalibration()
        let boast = tree(1)
        for _ in 0..<20 { calibration.observe(DraftOutcome(tree: boast, checked: [], tokens: [9])) }
        #expect(calibration.values(of: boast)[0] < 0.1)
        // Another tag of the same drafter is mistrusted before it was ever seen, but less.
        let stranger = calibration.values(of: tree(1, tag: 5))[0]
        #expect(stranger < 0.5 && stranger > calibration.values(of: boast)[0])
    }

    @Test func theModestAreTaken() {
        var calibration = ValueCalibration()
        let modest = tree(0.3)
        for _ in 0..<100 { calibration.observe(DraftOutcome(tree: modest, checked: [], tokens: [1, 2])) }
        let values = calibration.values(of: modest)
        #expect(values[0] > 0.8)
        #expect(values[1] <= values[0])
    }

    @Test(arguments: [0.05, 0.3, 0.7]) func correctedValuesApproachTheRate(rate: Double) {
        var calibration = ValueCalibration()
        let claim = tree(0.9)
        for index in 0..<400 {
            let isRight = (Double(index) * rate).rounded(.down) != (Double(index + 1) * rate).rounded(.down)
            calibration.observe(DraftOutcome(tree: claim, checked: [], tokens: isRight ? [1] : [9]))
        }
        #expect(abs(Double(calibration.values(of: claim)[0]) - rate) < 0.08)
    }

    @Test func whatHoldsAtOneDepthNeedNotAtAnother() {
        var calibration = ValueCalibration()
        let claim = tree(0.5)
        for _ in 0..<200 { calibration.observe(DraftOutcome(tree: claim, checked: [0], tokens: [1, 9])) }
        let values = calibration.values(of: claim)
        #expect(values[0] > 0.8)
        #expect(values[1] < 0.1)
    }
}
