// Models whose last layers are on a device: they agree with the processor, widths change no bit, and little memory suffices.

import Foundation
import InferGGUF
import InferSupport
import InferTensors
import InferTransformer
import InferVulkan
import SwiftInfer
import TestSupport
import Testing

@Suite("Part of a model on a Vulkan device", .enabled(if: Device.isThere, "\(Device.absence)"))
struct OffloadTests {
    static let tokens = ModelTests.tokens
    /// Fixtures that together have windows, sinks, experts, soft caps, quantised weights, recurrent layers, latent attention, and layers
    /// that read another one's keys and values.
    static let names = [
        "tiny-gemma3-f32", "tiny-gemma2-f32", "tiny-gpt-oss-mxfp4", "tiny-llama-q4_0", "tiny-mistral3-f32",
        "tiny-gemma4-ple-q8_0", "tiny-qwen35moe-q8_0", "tiny-qwen4exp-q8_0", "tiny-kimi-linear-q8_0",
        "tiny-deepseek2-lite-q8_0",
    ]

    private func model(_ name: String, layers: Int) throws -> TransformerModel {
        try TransformerModel(
            Fixture.file(name), backend: CPUBackend(threads: 2), offload: Offload(layers, on: Device.shared.get()))
    }

    /// Numbers of layers: none, one, half, all blocks, and the output matrix too.
    private func counts(_ name: String) throws -> [Int] {
        let blocks = try Configuration(Fixture.file(name)).blockCount
        return Array(Set([0, 1, (blocks + 1) / 2, blocks, blocks + 1, blocks + 90])).sorted()
    }

    @Test("Any number of layers agrees with the processor", arguments: names)
    func parity(_ name: String) throws {
        func rows(_ model: TransformerModel) throws -> [[Float]] {
            let run = try SequenceRun(model, capacity: 24, cacheType: .f32)
            try run.evaluate(Array(Self.tokens[..<12]), outputs: [])
            try run.evaluate(Array(Self.tokens[12..<24]), outputs: [0, 5, 11])
            return run.rows
        }
        let wanted = try rows(TransformerModel(Fixture.file(name), backend: CPUBackend(threads: 2)))
        for layers in try counts(name) {
            let found = try rows(model(name, layers: layers))
            #expect(distance(wanted, found) <= (layers == 0 ? 0 : name.contains("f32") ? 0.002 : 0.02), "\(layers)")
        }
        let first = try Device.shared.get().validationMessages.first
        #expect(first == nil)
    }

    @Test("Widths, trees, rewinding and accepting change no bit", arguments: names)
    func exactness(_ name: String) throws {
        let t = Self.tokens
        for layers in try counts(name) {
            let model = try model(name, layers: layers)
            let expected = try model.oneByOne(Array(t[..<28]))
            let run = try SequenceRun(model, capacity: 64, cacheType: .f16)
            try run.evaluate(Array(t[..<20]), outputs: [0, 19])
            #expect(run.bits == [expected[0], expected[19]], "\(layers) layers")
            // The true continuation is rows 1, 3, 6, 8, as in ModelTests.
            let tree = [2, t[20], 2, t[21], 2, 2, t[22], 2, t[23], 2]
            for _ in 0..<2 {
                try run.evaluate(tree, parents: [-1, -1, 0, 1, 1, 4, 3, 6, 6, 8], outputs: [1, 3, 6, 8])
                #expect(run.bits == Array(expected[20..<24]), "\(layers) layers")
                try run.state.keep(rows: [1, 3, 6, 8])
                try run.evaluate(Array(t[24..<28]), outputs: [0, 1, 2, 3])
                #expect(run.bits == Array(expected[24..<28]), "\(layers) layers")
                let kept = run.state.reusablePrefix(of: 20)
                try run.state.forget(from: kept)
                if kept < 20 { try run.evaluate(Array(t[kept..<20]), outputs: []) }
            }
        }
        let first = try Device.shared.get().validationMessages.first
        #expect(first == nil)
    }

    @Test("The predicted size of weights is what they take", arguments: [TensorType.f16, .q8_0, .q4_K, .q5_1])
    func weights(_ type: TensorType) throws {
        let file = try ProductTests.file(type, columns: 1280, rows: 4096)
        let backend = try VulkanBackend()
        let before = backend.allocatedByteCount
        let kept: [AnyObject] = try file.tensors.map { tensor in
            if tensor.shape.count == 1 { return try backend.makeVector(tensor, of: file) }
            return try backend.makeMatrix(tensor, rows: 0..<tensor.rows, of: file)
        }
        let taken = withExtendedLifetime(kept) { backend.allocatedByteCount - before }
        #expect(taken == backend.byteCount(ofWeights: file.tensors))
    }

    @Test("The predicted size of a model is close to what it takes", arguments: names)
    func demand(_ name: String) throws {
        let file = try Fixture.file(name)
        for layers in try counts(name) where layers > 0 {
            let backend = try VulkanBackend()
            let before = backend.allocatedByteCount
            let demands = try DeviceDemand(file, on: backend, capacity: 1 << 15, cacheType: .f16)
            let demand = demands.byteCount(layers: layers)
            let model = try TransformerModel(
                file, backend: CPUBackend(threads: 1), offload: Offload(layers, on: backend))
            let run = try SequenceRun(model, capacity: 1 << 15, cacheType: .f16)
            try run.evaluate(Self.tokens, outputs: [39], request: LogitsRequest(topTokens: 64))
            // What the host reads, the scratch memory that longer contexts need, a draft tree's logits and inputs, and copies of recurrent
            // states were not taken.
            let taken = backend.allocatedByteCount - before
            #expect(taken <= demand, "\(layers) layers")
            let scratch = model.configuration.layers.map { layer in
                var (heads, length) = (layer.attention?.heads ?? 0, layer.attention?.valueLength ?? 0)
                if case .latentAttention(let plan) = layer.mixer { (heads, length) = (plan.heads, plan.latentLength) }
                return heads == 0
                    ? 0
                    : backend.byteCount(ofAttentionRows: 512, heads: heads, valueDimension: length, context: 1 << 15)
            }
            let states = model.configuration.layers.flatMap(\.recurrentShapes).reduce(0) { sum, shape in
                sum + (1 << 10) * shape.stateByteCount + shape.byteCount(uncertainRows: 64)
                    + backend.byteCount(ofScansOf: shape, uncertainRows: 64)
            }
            #expect(demand - taken <= (scratch.max() ?? 0) + states + (1 << 20), "\(layers) layers")
        }
    }

    @Test("The device gets as many layers as fit; more are refused before anything is loaded")
    func room() throws {
        let file = try Fixture.file("tiny-gemma3-f32")
        var options = Model.Options(backend: .vulkan)
        options.session.contextLength = 1 << 18
        let backend = try VulkanBackend()
        let demand = try DeviceDemand(file, on: backend, capacity: 1 << 18, cacheType: .f16)
        #expect(demand.layerCount == 8)
        for layers in [0, 3, 7] {
            // Half of the next layer fits, besides the reserve.
            let room = (demand.byteCount(layers: layers) + demand.byteCount(layers: layers + 1)) / 2
            options.deviceByteLimit = backend.allocatedByteCount + room / 7 * 8
            options.gpuLayers = nil
            let found = try #require(try Model(contentsOf: file.path, options: options).deviceLayers)
            #expect(found.count == layers && found.total == 8)
            #expect(found.requiredByteCount == demand.byteCount(layers: 8))
            options.gpuLayers = layers + 1
            #expect {
                try Model(contentsOf: file.path, options: options)
            } throws: { error in
                let error = error as? InferenceError
                return error?.code == .outOfMemory && error?.message.contains("--gpu-layers \(layers) fits") == true
            }
        }
    }

    @Test("Invalid numbers of layers are refused")
    func refusals() throws {
        let path = try Fixture.file("tiny-llama-f32").path
        for (backend, layers) in [(BackendChoice.vulkan, -1), (.cpu, 1), (.automatic, 3)] {
            #expect {
                try Model(contentsOf: path, options: .init(backend: backend, gpuLayers: layers))
            } throws: {
                ($0 as? InferenceError)?.code == .invalidArgument
            }
        }
    }
}
