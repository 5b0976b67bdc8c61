// The report of memory, and the explicit end of a model's memory.

import SwiftInfer
import TestSupport
import Testing

@Suite struct UnloadingTests {
    private static let prompt = Prompt.text("let x = ")

    @Test(arguments: ["tiny-llama-q4_0", "tiny-qwen35-q4_k_m"]) func memoryIsThatOfWhatExists(name: String) async throws
    {
        let model = try Fixture.model(name)
        let loaded = model.memoryUse
        #expect(loaded.mapped == model.summary.fileSize)
        #expect(loaded.weights > 0 && loaded.weights < 2 * loaded.mapped)
        #expect(loaded.sequences == 0 && loaded.parked == 0 && loaded.device == 0)
        let options = Session.Options(contextLength: 512, drafter: .none)
        do {
            let estimate = try model.memoryEstimate(for: options)
            var sessions = [try model.makeSession(options)]
            let one = model.memoryUse.sequences
            sessions.append(try model.makeSession(options))
            let use = model.memoryUse
            #expect(one > 0 && use.sequences == 2 * one && use.weights == loaded.weights)
            #expect(use.workspace > 0 && use.sequences / 2 + use.workspace <= estimate)
            #expect(use.total == use.weights + use.sequences + use.workspace)
            #expect("\(use)".contains("sequences") && !"\(use)".contains("parked"))
            withExtendedLifetime(sessions) {}
        }
        #expect(model.memoryUse.sequences == 0)
    }

    @Test func parkedPrefixesAreCounted() async throws {
        let model = try Fixture.model()
        var options = Scheduler.Options()
        options.sequences = 1
        do {
            let scheduler = try Scheduler(model, options: options)
            for owner in ["a", "b"] {
                var request = Scheduler.Request(.text(longText), options: .exactly(2))
                request.owner = owner
                _ = try await scheduler.submit(request).response()
            }
            #expect(scheduler.status.parkedBytes > 0 && model.memoryUse.parked == scheduler.status.parkedBytes)
        }
    }

    @Test func whatUsesAnUnloadedModelThrows() async throws {
        let model = try Fixture.model()
        let session = try model.makeSession()
        let scheduler = try Scheduler(model)
        let chat = Chat(try model.makeSession())
        _ = try await session.respond(to: Self.prompt, options: .exactly(4))
        var text = ""
        await expectRefusal(.unloaded, "unloaded") {
            for try await event in session.generate(Self.prompt, options: .exactly(400)) {
                guard case .text(let piece) = event else { continue }
                if text.isEmpty { await model.unload() }
                text += piece
            }
        }
        #expect(!text.isEmpty)
        #expect(model.memoryUse == Model.MemoryUse() && model.memoryUse.total == 0)
        #expect(await session.tokens.isEmpty)
        let logitCount = await session.withLogits { $0.count }
        #expect(logitCount == nil)
        await expectRefusal(.unloaded) { try await session.respond(to: Self.prompt) }
        await expectRefusal(.unloaded) { try await session.rewind(to: 0) }
        await expectRefusal(.unloaded) { try await session.save(to: "/nowhere") }
        await expectRefusal(.unloaded) { try await session.score([1], after: .tokens([1])) }
        await expectRefusal(.unloaded) { try await chat.respond(to: "x") }
        await expectRefusal(.unloaded) { try await model.embedding(of: Self.prompt) }
        expectRefusal(.unloaded, "unloaded") { try scheduler.submit(.init(Self.prompt)) }
        expectRefusal(.unloaded) { try model.makeSession() }
        expectRefusal(.unloaded) { try Scheduler(model) }
        expectRefusal(.unloaded) { try model.memoryEstimate() }
        // What needs no weights stays.
        #expect(try model.tokens(for: Self.prompt).count > 1 && model.embeddingLength > 0)
        await model.unload()
    }

    @Test func schedulersEndTheirGenerations() async throws {
        let model = try Fixture.model()
        let scheduler = try Scheduler(model)
        let running = try (0..<6).map { _ in try scheduler.submit(.init(Self.prompt, options: .exactly(4000))) }
        await model.unload()
        for generation in running {
            #expect(try await generation.response().statistics.finishReason == .cancelled)
        }
        #expect(scheduler.status.sequences.isEmpty && scheduler.status.parkedBytes == 0)
    }
}
