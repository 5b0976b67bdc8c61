// Sessions of models that are split between processor and device: saved with one split, restored with another.

import Foundation
import InferDecoding
import InferGGUF
import InferTransformer
import SwiftInfer
import TestSupport
import Testing

@Suite("Sessions of a model that is split", .enabled(if: Device.isThere, "\(Device.absence)"))
struct SessionTests {
    private static let options = Session.Options(contextLength: 96, drafter: .none)

    private static func model(_ name: String, layers: Int) throws -> Model {
        try Model(
            contentsOf: Fixture.file(name).path,
            options: layers == 0
                ? .init(backend: .cpu, threads: 1) : .init(backend: .vulkan, threads: 1, gpuLayers: layers))
    }

    /// Exactly `count` tokens after `prompt`. The statistics have a hash of all logits.
    private static func response(_ session: Session, _ prompt: Prompt, count: Int) async throws -> Response {
        var options = GenerationOptions(maximumTokens: count)
        options.ignoresEndOfText = true
        options.hashesLogits = true
        return try await session.respond(to: prompt, options: options)
    }

    /// A drafter of trees with right and wrong tokens for `text`.
    private static func randomDrafts(_ text: [Int32], _ model: Model) -> DrafterChoice {
        let count = model.tokenizer.count
        return DrafterChoice("random drafts") { _ in ProbeDrafter(.random, text: text, tokenCount: count) }
    }

    @Test(
        "A session that one split saves, another one continues",
        arguments: ["tiny-gemma3-f32", "tiny-gpt-oss-mxfp4", "tiny-llama-q4_0"])
    func restoring(_ name: String) async throws {
        // On the device: nothing, the last block, all blocks but the first, and all with the output matrix.
        let blocks = try Configuration(Fixture.file(name)).blockCount
        let models = try Set([0, 1, blocks - 1, blocks + 1]).sorted().map { try Self.model(name, layers: $0) }
        let folder = try TemporaryFolder()
        let path = folder.path("session")
        defer { withExtendedLifetime(folder) {} }
        for writer in models {
            // An answer, then the same one in trees, of which steps are accepted in part; and back into the midst of it.
            let plain = try writer.makeSession(Self.options), drafted = try writer.makeSession(Self.options)
            let prompt = Prompt.text("def push(self, item):\n    self.items.append")
            let answer = try await Self.response(plain, prompt, count: 20)
            try await drafted.use(Self.randomDrafts(plain.tokens, writer))
            let same = try await Self.response(drafted, prompt, count: 20)
            #expect(same.statistics.logitsHash == answer.statistics.logitsHash)
            #expect(same.statistics.draft.accepted > 0)
            try await drafted.rewind(to: drafted.tokens.count - 7)
            let saved = await drafted.tokens
            try await drafted.save(to: path)
            for reader in models {
                let fresh = try reader.makeSession(Self.options), restored = try reader.makeSession(Self.options)
                let expected = try await Self.response(fresh, .tokens(saved), count: 12)
                _ = try await Self.response(restored, .text("class"), count: 3)
                try await restored.restore(from: path)
                #expect(await restored.tokens == saved)
                try await restored.use(Self.randomDrafts(fresh.tokens, reader))
                let found = try await Self.response(restored, .tokens(saved), count: 12)
                #expect(found.statistics.logitsHash == expected.statistics.logitsHash)
                // What another split computed has other bits, so that it does not count.
                #expect(found.statistics.reusedTokens == (reader === writer ? saved.count - 1 : 0))
                // Part of what is evaluated now stays, and goes on likewise.
                try await restored.rewind(to: saved.count + 4)
                let prefix = await restored.tokens
                let again = try await Self.response(restored, .tokens(prefix), count: 8)
                let whole = try await Self.response(reader.makeSession(Self.options), .tokens(prefix), count: 8)
                #expect(again.statistics.logitsHash == whole.statistics.logitsHash)
                #expect(again.statistics.reusedTokens > 0)
            }
        }
    }
}
