// Several sequences in one step: none of them shows that it was not alone.

import InferGGUF
import InferSupport
import InferTensors
import InferTransformer
import TestSupport
import Testing

@Suite("Segments")
struct SegmentTests {
    @Test("A sequence's bits do not depend on who shares its steps", arguments: Fixture.all)
    func bits(_ fixture: Fixture) throws {
        let model = try TransformerModel(GGUFFile(path: fixture.path), backend: CPUBackend(threads: 2))
        for sequences in [2, 5, 16] {
            let steps = SharedSteps(sequences: sequences, seed: UInt64(sequences))
            let alone = try steps.run(model, together: false)
            let together = try steps.run(model, together: true)
            #expect(together == alone, "\(sequences) sequences")
        }
    }

    @Test("Types of caches", arguments: [KVCacheType.f32, .q8_0])
    func caches(_ type: KVCacheType) throws {
        let model = try TransformerModel(
            Fixture.file("tiny-llama-q4_k"), backend: CPUBackend(threads: 3))
        let steps = SharedSteps(sequences: 7, seed: 3)
        #expect(try steps.run(model, together: true, type) == steps.run(model, together: false, type))
    }

    @Test("The comparison can fail: another seed, other bits")
    func control() throws {
        let model = try TransformerModel(
            Fixture.file("tiny-llama-f32"), backend: CPUBackend(threads: 1))
        let one = try SharedSteps(sequences: 2, seed: 1).run(model, together: true)
        let other = try SharedSteps(sequences: 2, seed: 2).run(model, together: true)
        #expect(one != other)
    }

    @Test("A step that cannot be computed changes no sequence")
    func refusals() throws {
        let model = try TransformerModel(
            Fixture.file("tiny-llama-f32"), backend: CPUBackend(threads: 1))
        let (a, b) = (
            try model.makeSequence(capacity: 8, cacheType: .f32), try model.makeSequence(capacity: 2, cacheType: .f32)
        )
        func code(_ segments: [Segment]) -> InferenceError.Code? {
            do throws(InferenceError) {
                _ = try model.evaluate(segments)
                return nil
            } catch { return error.code }
        }
        let good = Segment(a, [5, 6], outputs: [1])
        #expect(code([good, Segment(b, [1, 2, 3], outputs: [])]) == .contextFull)
        #expect(code([good, Segment(a, [1], outputs: [])]) == .invalidArgument)
        #expect(code([good, Segment(b, [-1], outputs: [])]) == .invalidArgument)
        #expect(a.count == 0 && b.count == 0)
        #expect(try model.evaluate([Segment]()).isEmpty)
        #expect(code([good, Segment(b, [1, 2], outputs: [])]) == nil)
        #expect(a.count == 2 && b.count == 2)
    }
}
