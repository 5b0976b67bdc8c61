// The promise: a token's logits do not depend on how the tokens before and beside it were evaluated.

import InferGGUF
import InferTensors
import InferTransformer
import TestSupport
import Testing

@Suite("Exactness")
struct ExactnessTests {
    /// Fixtures that between them use every kind of layer: windows, sinks, experts, soft caps, layer norm, quantised weights,
    /// recurrent layers, latent attention, gates, shared keys and values.
    static let names =
        [
            "tiny-llama-f32", "tiny-llama-q4_k", "tiny-llama-q4_0", "tiny-gemma2-f32", "tiny-gemma3-f32",
            "tiny-gpt-oss-mxfp4", "tiny-starcoder2-f32", "tiny-deepseek2-lite-q8_0", "tiny-gemma4-ple-q8_0",
            "tiny-gemma4-moe-q8_0", "tiny-laguna-q8_0", "tiny-starcoder-q8_0", "tiny-stablelm-parallel-f32",
        ] + recurrent
    /// One of each kind of recurrent layer.
    static let recurrent = [
        "tiny-qwen35moe-q8_0", "tiny-qwen3next-q8_0", "tiny-kimi-linear-q8_0", "tiny-granitehybrid-q8_0",
        "tiny-nemotron_h_moe-q8_0", "tiny-lfm2moe-q8_0", "tiny-falcon-h1-q8_0", "tiny-qwen4exp-q8_0",
    ]
    /// Every fixture above with the kernels that the backend chooses, and some with products by a BLAS library if it is there.
    static let cases: [ExactnessCase] =
        names.map { ExactnessCase(name: $0, kernels: .automatic) }
        + (libraryIsThere
            ? [
                "tiny-llama-f32", "tiny-llama-q4_k", "tiny-gpt-oss-mxfp4", "tiny-deepseek2-lite-q8_0",
                "tiny-qwen35moe-q8_0",
            ]
            .map { ExactnessCase(name: $0, kernels: .blas) } : [])
    private static let libraryIsThere = (try? KernelChoice.blas.makeKernels()) != nil
    static let tokens: [Int32] = (0..<40).map { Int32($0 * 37 % 250 + 3) }

    @Test("Chunks of any size give the bits of single tokens", arguments: cases)
    func chunks(_ item: ExactnessCase) throws {
        let model = try item.model(threads: 2)
        let expected = try model.oneByOne(Self.tokens)
        for size in [3, 7, 40] {
            let run = try SequenceRun(model, capacity: 64, cacheType: .f16)
            var found: [[UInt32]] = []
            for start in stride(from: 0, to: Self.tokens.count, by: size) {
                let chunk = Array(Self.tokens[start..<min(start + size, Self.tokens.count)])
                try run.evaluate(chunk, outputs: Array(chunk.indices))
                found += run.bits
            }
            #expect(found == expected, "chunks of \(size)")
        }
    }

    @Test("The number of threads changes no bit", arguments: cases)
    func threads(_ item: ExactnessCase) throws {
        var results: [[[UInt32]]] = []
        for threads in [1, 2, 3] {
            let run = try SequenceRun(item.model(threads: threads), capacity: 64, cacheType: .f16)
            try run.evaluate(Self.tokens, outputs: Array(Self.tokens.indices))
            results.append(run.bits)
        }
        #expect(results[1] == results[0] && results[2] == results[0])
    }

    @Test("The Swift kernels give the bits of the tuned ones", arguments: Fixture.all)
    func reference(_ fixture: Fixture) throws {
        let file = try GGUFFile(path: fixture.path)
        let kernels: [KernelChoice] = [.reference] + TunedKernels.names.map { .named($0) }
        let results = try kernels.map { kernels in
            let model = try TransformerModel(file, backend: CPUBackend(threads: 1, kernels: kernels))
            let run = try SequenceRun(model, capacity: 16, cacheType: .f16)
            try run.evaluate(Array(Self.tokens[..<10]), outputs: [0, 9])
            return run.bits
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }

    @Test("A path through a tree gives the bits of plain decoding", arguments: cases, KVCacheType.allCases)
    func trees(_ item: ExactnessCase, _ type: KVCacheType) throws {
        let model = try item.model(threads: 2)
        guard type != .q8_0 || model.takesQ8Cache else { return }
        let run = try SequenceRun(model, capacity: 64, cacheType: type)
        let past = Array(Self.tokens[..<20])
        try run.evaluate(past, outputs: [])
        // The true continuation 20, 21, 22, 23 is rows 1, 3, 6, 8; the other rows are wrong nodes between them.
        let wrong: Int32 = 2
        let t = Self.tokens
        let tree = [wrong, t[20], wrong, t[21], wrong, wrong, t[22], wrong, t[23], wrong]
        let parents: [Int32] = [-1, -1, 0, 1, 1, 4, 3, 6, 6, 8]
        let path = [1, 3, 6, 8]
        try run.evaluate(tree, parents: parents, outputs: path)
        let found = run.bits
        let expected = try model.oneByOne(Array(t[..<28]), type)
        #expect(found == Array(expected[20..<24]))
        // And what follows the accepted path does not show that it came from a tree.
        try run.state.keep(rows: path)
        #expect(run.count == 24)
        try run.evaluate(Array(t[24..<28]), outputs: [0, 1, 2, 3])
        #expect(run.bits == Array(expected[24..<28]))
    }

    @Test("Recurrent layers go back to a checkpoint and on from there", arguments: recurrent, [1, 3])
    func rewinds(_ name: String, _ threads: Int) throws {
        let model = try TransformerModel(Fixture.file(name), backend: CPUBackend(threads: threads))
        let tokens: [Int32] = (0..<150).map { Int32($0 * 61 % 250 + 3) }
        let run = try SequenceRun(model, capacity: 200, cacheType: .f16)
        for start in stride(from: 0, to: 150, by: 50) {
            try run.evaluate(Array(tokens[start..<start + 50]), outputs: Array(0..<50))
        }
        let plain = try SequenceRun(model, capacity: 200, cacheType: .f16)
        var expected: [[UInt32]] = []
        for token in tokens {
            try plain.evaluate([token], outputs: [0])
            expected += plain.bits
        }
        for position in [149, 120, 100, 99, 60, 49, 0] {
            let reusable = run.state.reusablePrefix(of: position)
            #expect(reusable <= position && reusable + 50 >= position)
            try run.state.forget(from: reusable)
            #expect(run.count == reusable)
            try run.evaluate(Array(tokens[reusable..<min(reusable + 20, 150)]), outputs: [0, 7, 19])
            #expect(run.bits == [0, 7, 19].map { expected[reusable + $0] }, "from \(reusable)")
        }
    }

    @Test("A draft step whose first row is certain leaves the state of that row, or of the kept path", arguments: names)
    func certainRows(_ name: String) throws {
        let model = try TransformerModel(Fixture.file(name), backend: CPUBackend(threads: 2))
        let t = Self.tokens
        let expected = try model.oneByOne(t)
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
        #expect(run.count == 16)
        try run.evaluate(Array(t[16..<24]), outputs: Array(0..<8))
        #expect(run.bits == Array(expected[16..<24]))
    }

    @Test("The comparison can fail: another position, another result")
    func control() throws {
        let model = try TransformerModel(
            Fixture.file("tiny-llama-f32"), backend: CPUBackend(threads: 1))
        let expected = try model.oneByOne(Self.tokens)
        let shifted = try model.oneByOne(Array(Self.tokens.dropFirst()))
        #expect(expected.last != shifted.last)
    }
}

/// A fixture and the kernels that compute it.
struct ExactnessCase: CustomTestStringConvertible {
    let name: String
    let kernels: KernelChoice

    var testDescription: String { "\(name), \(kernels)" }

    func model(threads: Int) throws -> TransformerModel {
        try TransformerModel(Fixture.file(name), backend: CPUBackend(threads: threads, kernels: kernels))
    }
}
