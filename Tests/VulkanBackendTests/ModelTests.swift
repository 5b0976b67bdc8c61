// Whole models on the device: they agree with the processor, and the width of a step changes no bit.

import Foundation
import InferGGUF
import InferTensors
import InferTransformer
import InferVulkan
import TestSupport
import Testing

@Suite("Models on a Vulkan device", .enabled(if: Device.isThere, "\(Device.absence)"))
struct ModelTests {
    static let tokens: [Int32] = (0..<40).map { Int32($0 * 37 % 250 + 3) }
    /// Fixtures that together use every kind of layer: windows, sinks, experts, soft caps, layer norm, quantised weights, recurrent
    /// layers, latent attention, gates, shared keys and values.
    static let various =
        [
            "tiny-llama-f32", "tiny-llama-q4_k", "tiny-llama-q4_0", "tiny-gemma2-f32", "tiny-gemma3-f32",
            "tiny-gpt-oss-mxfp4", "tiny-qwen3moe-q4_k_m", "tiny-starcoder2-f32", "tiny-deepseek2-lite-q8_0",
            "tiny-gemma4-ple-q8_0", "tiny-gemma4-moe-q8_0", "tiny-laguna-q8_0",
        ] + recurrent
    /// One of each kind of recurrent layer.
    static let recurrent = [
        "tiny-qwen35moe-q8_0", "tiny-qwen3next-q8_0", "tiny-kimi-linear-q8_0", "tiny-granitehybrid-q8_0",
        "tiny-nemotron_h_moe-q8_0", "tiny-lfm2moe-q8_0", "tiny-falcon-h1-q8_0", "tiny-qwen4exp-q8_0",
    ]

    /// For what costs most on a software driver: attention and experts with rows of every sort of size, latent attention, and the
    /// largest recurrent state.
    static let few = ["tiny-llama-q4_k", "tiny-gpt-oss-mxfp4", "tiny-deepseek2-lite-q8_0", "tiny-qwen35moe-q8_0"]

    private func model(_ name: String) throws -> TransformerModel {
        try TransformerModel(Fixture.file(name), backend: Device.shared.get())
    }

    private func expectSilence() throws {
        let first = try Device.shared.get().validationMessages.first
        #expect(first == nil)
    }

    @Test("Log-probabilities agree with the processor", arguments: Fixture.names)
    func parity(_ name: String) throws {
        let results = try [CPUBackend(threads: 1) as any Backend, Device.shared.get()].map { backend in
            let run = try SequenceRun(
                TransformerModel(Fixture.file(name), backend: backend), capacity: 24, cacheType: .f32)
            try run.evaluate(Array(Self.tokens[..<12]), outputs: [])
            try run.evaluate(Array(Self.tokens[12..<24]), outputs: [0, 5, 11])
            return run.rows
        }
        // The sum over all tokens is larger than that over the top ten. Activations are rounded to eight bits: where two experts are
        // close, that decides which one a row takes, and the row's result moves.
        #expect(distance(results[0], results[1]) <= (name.contains("f32") || name.contains("f16") ? 0.002 : 0.05))
        try expectSilence()
    }

    @Test("Chunks of any size give the bits of single tokens", arguments: various)
    func chunks(_ name: String) throws {
        let model = try model(name)
        let expected = try model.oneByOne(Self.tokens)
        for size in [3, 40] {
            let run = try SequenceRun(model, capacity: 64, cacheType: .f16)
            var found: [[UInt32]] = []
            for start in stride(from: 0, to: Self.tokens.count, by: size) {
                let chunk = Array(Self.tokens[start..<min(start + size, Self.tokens.count)])
                try run.evaluate(chunk, outputs: Array(chunk.indices))
                found += run.bits
            }
            #expect(found == expected, "chunks of \(size)")
        }
        try expectSilence()
    }

    @Test("A path through a tree gives the bits of plain decoding", arguments: various)
    func trees(_ name: String) throws {
        let model = try model(name)
        for type in Self.few.contains(name) ? KVCacheType.allCases : [.f16] {
            guard type != .q8_0 || model.takesQ8Cache else { continue }
            try expectPlainBits(ofTreesIn: model, type)
        }
    }

    private func expectPlainBits(ofTreesIn model: TransformerModel, _ type: KVCacheType) throws {
        let run = try SequenceRun(model, capacity: 64, cacheType: type)
        try run.evaluate(Array(Self.tokens[..<20]), outputs: [])
        // The true continuation 20, 21, 22, 23 is rows 1, 3, 6, 8; the other rows are wrong nodes between them.
        let wrong: Int32 = 2
        let t = Self.tokens
        let tree = [wrong, t[20], wrong, t[21], wrong, wrong, t[22], wrong, t[23], wrong]
        let path = [1, 3, 6, 8]
        try run.evaluate(tree, parents: [-1, -1, 0, 1, 1, 4, 3, 6, 6, 8], outputs: path)
        let found = run.bits
        let expected = try model.oneByOne(Array(t[..<28]), type)
        #expect(found == Array(expected[20..<24]))
        try run.state.keep(rows: path)
        try run.evaluate(Array(t[24..<28]), outputs: [0, 1, 2, 3])
        #expect(run.bits == Array(expected[24..<28]))
        try expectSilence()
    }

    @Test("Recurrent layers go back to a checkpoint and on from there", arguments: recurrent)
    func rewinds(_ name: String) throws {
        let model = try model(name)
        let tokens: [Int32] = (0..<150).map { Int32($0 * 61 % 250 + 3) }
        let run = try SequenceRun(model, capacity: 200, cacheType: .f16)
        var expected: [[UInt32]] = []
        for start in stride(from: 0, to: 150, by: 50) {
            try run.evaluate(Array(tokens[start..<start + 50]), outputs: Array(0..<50))
            expected += run.bits
        }
        for position in [149, 120, 100, 99, 60, 49, 0] {
            let reusable = run.state.reusablePrefix(of: position)
            #expect(reusable <= position && reusable + 50 >= position)
            try run.state.forget(from: reusable)
            #expect(run.count == reusable)
            try run.evaluate(Array(tokens[reusable..<min(reusable + 20, 150)]), outputs: [0, 7, 19])
            #expect(run.bits == [0, 7, 19].map { expected[reusable + $0] }, "from \(reusable)")
        }
        try expectSilence()
    }

    @Test(
        "A draft step whose first row is certain leaves the state of that row, or of the kept path", arguments: various)
    func certainRows(_ name: String) throws {
        let model = try model(name)
        let t = Self.tokens
        let expected = try model.oneByOne(Array(t[..<24]))
        let run = try SequenceRun(model, capacity: 64, cacheType: .f16)
        try run.evaluate(Array(t[..<8]), outputs: [])
        // Nothing of the draft is kept, then its second branch, then a whole chain.
        try run.evaluate([t[8], 2, 2, 3], parents: [-1, 0, 1, 0], outputs: [0], certainRows: 1)
        #expect(run.bits == [expected[8]])
        try run.state.keep(rows: [0])
        try run.evaluate([t[9], 2, t[10], 2, t[11]], parents: [-1, 0, 0, 1, 2], outputs: [0, 2, 4], certainRows: 1)
        #expect(run.bits == Array(expected[9...11]))
        try run.state.keep(rows: [0, 2, 4])
        try run.evaluate(Array(t[12...15]), parents: [-1, 0, 1, 2], outputs: [3], certainRows: 1)
        #expect(run.bits == [expected[15]])
        try run.state.keep(rows: [0, 1, 2, 3])
        try run.evaluate(Array(t[16..<24]), outputs: Array(0..<8))
        #expect(run.bits == Array(expected[16..<24]))
        try expectSilence()
    }

    @Test(
        "Tiles of operations change no bit",
        arguments: few + ["tiny-gemma3-f32", "tiny-granitehybrid-q8_0", "tiny-lfm2moe-q8_0"])
    func tilings(_ name: String) throws {
        let file = try Fixture.file(name)
        // As on a graphics card with much shared memory, and on a device with the least that Vulkan allows.
        let results = try [
            nil, DeviceTiling(isSoftware: false, sharedBytes: 49_152), .init(isSoftware: true, sharedBytes: 16_384),
        ]
        .map { tiling in
            let run = try SequenceRun(
                TransformerModel(file, backend: VulkanBackend(tiling: tiling)), capacity: 64, cacheType: .f16)
            var found: [[UInt32]] = []
            for range in [0..<24, 24..<25, 25..<28] {
                try run.evaluate(Array(Self.tokens[range]), outputs: Array(0..<range.count))
                found += run.bits
            }
            let tree = (0..<12).map { Self.tokens[28 + $0] }
            try run.evaluate(tree, parents: [-1, -1, 0, 1, 1, 4, 3, 6, 6, 8, 9, 2], outputs: Array(0..<12))
            return found + run.bits
        }
        #expect(results[0].count == 40)
        #expect(results[1] == results[0])
        #expect(results[2] == results[0])
    }

    @Test("A sequence's bits do not depend on the sequences that share its steps", arguments: Fixture.names)
    func segments(_ name: String) throws {
        let model = try model(name)
        for sequences in Self.few.contains(name) ? [2, 16] : [3] {
            let steps = SharedSteps(sequences: sequences, rounds: 3, seed: UInt64(sequences))
            #expect(try steps.run(model, together: true) == steps.run(model, together: false), "\(sequences) sequences")
        }
    }

    @Test("The comparison can fail: another position gives another result")
    func control() throws {
        let model = try model("tiny-llama-f32")
        let expected = try model.oneByOne(Array(Self.tokens[..<8]))
        let shifted = try model.oneByOne(Array(Self.tokens[1..<8]))
        #expect(expected.last != shifted.last)
    }
}
