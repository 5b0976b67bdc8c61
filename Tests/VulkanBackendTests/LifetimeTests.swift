// The release of memory, the cache of compiled shaders, and failing devices.

import Foundation
import InferGGUF
import InferSupport
import InferTensors
import InferTransformer
import InferVulkan
import TestSupport
import Testing

@Suite("Lifetimes on a Vulkan device", .enabled(if: Device.isThere, "\(Device.absence)"), .serialized)
struct LifetimeTests {
    private func generate(_ model: TransformerModel) throws {
        let run = try SequenceRun(model, capacity: 16, cacheType: .f16)
        try run.evaluate([5, 6, 7], outputs: [2])
        try run.evaluate([8], outputs: [0])
        let isFinite = run.rows[0].allSatisfy(\.isFinite)
        #expect(isFinite)
    }

    @Test("Contexts that come and go leave no memory behind")
    func cycles() throws {
        let backend = try VulkanBackend()
        let model = try TransformerModel(Fixture.file("tiny-llama-q4_0"), backend: backend)
        for _ in 0..<4 { try generate(model) }
        // Memory is freed once the work that used it is known to be done. That of the last cycle may still be allocated.
        let bound = backend.allocatedByteCount
        for _ in 0..<1000 { try generate(model) }
        #expect(backend.allocatedByteCount <= bound)
    }

    @Test("Models and backends leave no memory behind")
    func backends() throws {
        var counts: [Int] = []
        let file = try Fixture.file("tiny-llama-q4_k")
        let backend = try VulkanBackend()
        for _ in 0..<20 {
            try generate(TransformerModel(file, backend: backend))
            counts.append(backend.allocatedByteCount)
        }
        #expect(counts[5...].allSatisfy { $0 <= counts[4] })
        for _ in 0..<20 { try generate(TransformerModel(file, backend: VulkanBackend())) }
    }

    @Test("An output matrix that is the embedding table is on the device once")
    func tiedMatrix() throws {
        let backend = try VulkanBackend()
        let file = try Fixture.file("tiny-gemma-f32")
        let tensor = try #require(file.tensor("token_embd.weight"))
        let table = try backend.makeTable(tensor, of: file)
        let count = backend.allocatedByteCount
        let matrix = try backend.makeMatrix(tensor, rows: 0..<tensor.shape[1], of: file)
        #expect(backend.allocatedByteCount == count)
        #expect(table.columns == matrix.columns)
    }

    @Test("A damaged cache of compiled shaders is ignored and replaced")
    func pipelineCache() throws {
        let folder = try TemporaryFolder()
        func run() throws {
            try generate(
                TransformerModel(
                    Fixture.file("tiny-llama-q4_0"), backend: VulkanBackend(cacheFolder: folder.path)))
        }
        try run()
        let names = folder.names
        let name = try #require(names.first)
        #expect(names.count == 1)
        let path = folder.url.appendingPathComponent(name)
        let whole = try Data(contentsOf: path)
        for damaged in [Data(), whole.prefix(20), Data(repeating: 0xff, count: whole.count)] {
            try damaged.write(to: path)
            try run()
            #expect(try Data(contentsOf: path).prefix(16) == whole.prefix(16))
        }
    }

    @Test("Measuring how fast the device copies leaves no memory behind")
    func copyRate() throws {
        let backend = try VulkanBackend()
        let before = backend.allocatedByteCount
        #expect(try backend.copyRate() > 1e6)
        try backend.finish(reading: [], rows: 0)
        let probe = try backend.makeActivations(rows: 1, columns: 8)
        _ = backend.read(probe, rows: 1) { $0.count }
        #expect(backend.allocatedByteCount < before + (1 << 20))
    }

    @Test("A device that does not finish is an error, also in later calls")
    func timeout() throws {
        let file = try Fixture.file("tiny-llama-f32")
        let backend = try VulkanBackend(timeout: 0)
        #expect {
            let run = try SequenceRun(TransformerModel(file, backend: backend), capacity: 64, cacheType: .f16)
            // Some step takes longer than no time at all.
            for _ in 0..<1000 {
                try run.evaluate(Array(repeating: 5, count: 60), outputs: [59])
                try run.state.forget(from: 0)
            }
        } throws: { error in
            let error = error as? InferenceError
            return error?.code == .deviceFailure && error?.message.contains("not finished") == true
        }
        #expect(throws: InferenceError.self) { try backend.finish(reading: [], rows: 0) }
    }

    @Test("A context that does not fit is refused before it is made")
    func memory() throws {
        let backend = try Device.shared.get()
        let model = try TransformerModel(Fixture.file("tiny-llama-f32"), backend: backend)
        let count = backend.allocatedByteCount
        #expect {
            try model.makeSequence(capacity: 1 << 30, cacheType: .f32)
        } throws: {
            ($0 as? InferenceError)?.code == .outOfMemory
        }
        #expect(backend.allocatedByteCount == count)
        try generate(model)
    }
}
