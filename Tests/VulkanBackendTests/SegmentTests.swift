// Several sequences in one step on the device.

import InferTransformer
import TestSupport
import Testing

@Suite("Segments on the device", .enabled(if: Device.isThere, "\(Device.absence)"))
struct SegmentTests {
    @Test("A sequence's bits do not depend on who shares its steps", arguments: Fixture.namesOnDevice)
    func bits(_ name: String) throws {
        let model = try TransformerModel(Fixture.file(name), backend: Device.shared.get())
        for sequences in [2, 16] {
            let steps = SharedSteps(sequences: sequences, rounds: 3, seed: UInt64(sequences))
            #expect(try steps.run(model, together: true) == steps.run(model, together: false), "\(sequences) sequences")
        }
    }
}
