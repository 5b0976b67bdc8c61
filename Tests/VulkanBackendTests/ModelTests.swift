// Whole models on the device: beside the processor, and at different widths of a step.

import Foundation
import GGUF
import Tensors
import Testing
import Transformer
import VulkanBackend

@Suite("Models on a Vulkan device", .enabled(if: Device.isThere, "\(Device.absence)"))
struct ModelTests {
    static let tokens: [Int32] = (0..<40).map { Int32($0 * 37 % 250 + 3) }
    /// Fixtures that between them use every kind of layer: windows, sinks, experts, soft caps, layer norm, quantised weights.
    static let various = [
        "tiny-llama-f32", "tiny-llama-q4_k", "tiny-llama-q4_0", "tiny-gemma2-f32", "tiny-gemma3-f32",
        "tiny-gpt-oss-mxfp4", "tiny-qwen3moe-q4_k_m", "tiny-starcoder2-f32",
    ]

    private func model(_ name: String) throws -> TransformerModel {
        try TransformerModel(Fixture.file(name), backend: Device.shared.get())
    }

    private func rows(_ context: ModelContext) -> [[Float]] {
        let width = context.model.configuration.vocabularySize
        return context.withLogits { logits in
            stride(from: 0, to: logits.count, by: width).map { Array(logits[$0..<$0 + width]) }
        }
    }

    private func bits(_ context: ModelContext) -> [[UInt32]] { rows(context).map { $0.map(\.bitPattern) } }

    private func expectSilence() throws {
        let first = try Device.shared.get().validationMessages.first
        #expect(first == nil)
    }

    /// log p of every token of a row.
    private func logProbabilities(_ row: [Float]) -> [Double] {
        let maximum = Double(row.max() ?? 0)
        let sum = row.reduce(0) { $0 + exp(Double($1) - maximum) }
        return row.map { Double($0) - maximum - log(sum) }
    }

    @Test("Log-probabilities are the processor's", arguments: Fixture.names)
    func parity(_ name: String) throws {
        let results = try [CPUBackend(threads: 1) as any Backend, Device.shared.get()].map { backend in
            let context = try TransformerModel(Fixture.file(name), backend: backend)
                .makeContext(capacity: 24, cacheType: .f32)
            try context.evaluate(Array(Self.tokens[..<12]), outputs: [])
            try context.evaluate(Array(Self.tokens[12..<24]), outputs: [0, 5, 11])
            return rows(context).map(logProbabilities)
        }
        var total = 0.0
        for (wanted, found) in zip(results[0], results[1]) {
            total += zip(wanted, found).reduce(0) { $0 + abs($1.0 - $1.1) * exp($1.0) }
        }
        // Summed over all tokens, so more than the mean over the best ten.
        #expect(total / Double(results[0].count) <= (name.contains("f32") || name.contains("f16") ? 0.002 : 0.02))
        try expectSilence()
    }

    private func oneByOne(
        _ model: TransformerModel, _ tokens: [Int32], _ type: KVCacheType
    ) throws -> [[UInt32]] {
        let context = try model.makeContext(capacity: 64, cacheType: type)
        return try tokens.map { token in
            try context.evaluate([token], outputs: [0])
            return bits(context)[0]
        }
    }

    @Test("Chunks of any size give the bits of single tokens", arguments: various)
    func chunks(_ name: String) throws {
        let model = try model(name)
        let expected = try oneByOne(model, Self.tokens, .f16)
        for size in [2, 3, 7, 40] {
            let context = try model.makeContext(capacity: 64, cacheType: .f16)
            var found: [[UInt32]] = []
            for start in stride(from: 0, to: Self.tokens.count, by: size) {
                let chunk = Array(Self.tokens[start..<min(start + size, Self.tokens.count)])
                try context.evaluate(chunk, outputs: Array(chunk.indices))
                found += bits(context)
            }
            #expect(found == expected, "chunks of \(size)")
        }
        try expectSilence()
    }

    @Test("A path through a tree gives the bits of plain decoding", arguments: various, KVCacheType.allCases)
    func trees(_ name: String, _ type: KVCacheType) throws {
        let model = try model(name)
        guard type != .q8_0 || model.configuration.keyLength.isMultiple(of: 32) else { return }
        let context = try model.makeContext(capacity: 64, cacheType: type)
        try context.evaluate(Array(Self.tokens[..<20]), outputs: [])
        // The true continuation 20, 21, 22, 23 is rows 1, 3, 6, 8; the other rows are wrong guesses between.
        let wrong: Int32 = 2
        let t = Self.tokens
        let tree = [wrong, t[20], wrong, t[21], wrong, wrong, t[22], wrong, t[23], wrong]
        let path = [1, 3, 6, 8]
        try context.evaluate(tree, parents: [-1, -1, 0, 1, 1, 4, 3, 6, 6, 8], outputs: path)
        let found = bits(context)
        let expected = try oneByOne(model, Array(t[..<28]), type)
        #expect(found == Array(expected[20..<24]))
        try context.accept(rows: path)
        try context.evaluate(Array(t[24..<28]), outputs: [0, 1, 2, 3])
        #expect(bits(context) == Array(expected[24..<28]))
        try expectSilence()
    }

    @Test("The comparison can fail: another position, another result")
    func control() throws {
        let model = try model("tiny-llama-f32")
        let expected = try oneByOne(model, Array(Self.tokens[..<8]), .f16)
        let shifted = try oneByOne(model, Array(Self.tokens[1..<8]), .f16)
        #expect(expected.last != shifted.last)
    }
}
