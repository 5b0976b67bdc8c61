// Saved sessions, sound and damaged.

import Foundation
import InferSupport
import SwiftInfer
import TestSupport
import Testing

@Suite struct PersistenceTests {
    private let folder: TemporaryFolder
    private let prompt = Prompt.text("def push(self, item):")

    init() throws { folder = try TemporaryFolder() }

    /// A model, a session with some tokens, and the file it was saved to.
    private func saved() async throws -> (session: Session, path: String) {
        let session = try Fixture.model().makeSession(.plain)
        _ = try await session.respond(to: prompt, options: .exactly(8))
        let path = folder.path("session")
        try await session.save(to: path)
        return (session, path)
    }

    @Test func aRestoredSessionContinuesAsTheOriginal() async throws {
        let (session, path) = try await saved()
        let restored = try Fixture.model().makeSession(.plain)
        try await restored.restore(from: path)
        let tokens = await session.tokens
        #expect(await restored.tokens == tokens)
        let original = try await session.respond(to: .tokens(tokens), options: .exactly(8))
        let copy = try await restored.respond(to: .tokens(tokens), options: .exactly(8))
        // Only the last token is evaluated again, for its logits.
        #expect(copy.statistics.reusedTokens == tokens.count - 1)
        #expect(copy.text == original.text)
        #expect(copy.statistics.logitsHash == original.statistics.logitsHash)
    }

    /// Attention, windows, recurrent layers, several memories; every type of cache.
    @Test(arguments: [
        ("tiny-llama-f32", KVCacheType.f32), ("tiny-gpt-oss-mxfp4", .q8_0), ("tiny-gemma4-q8_0", .f16),
        ("tiny-qwen35moe-q8_0", .f16), ("tiny-lfm2-q8_0", .f16), ("tiny-qwen4exp-q8_0", .f16),
    ])
    func allThatWasComputedIsRestored(name: String, type: KVCacheType) async throws {
        let model = try Fixture.model(name)
        let options = Session.Options(contextLength: 96, cacheType: type, drafter: .none)
        let session = try model.makeSession(options)
        let path = folder.path("session")
        _ = try await session.respond(to: prompt, options: .exactly(40))
        try await session.save(to: path)
        let tokens = await session.tokens
        // A longer context has room for the same keys.
        for length in [96, 128] {
            var options = options
            options.contextLength = length
            let restored = try model.makeSession(options)
            try await restored.restore(from: path)
            let copy = try await restored.respond(to: .tokens(tokens), options: .exactly(16))
            #expect(copy.statistics.reusedTokens == tokens.count - 1)
            let plain = try await model.makeSession(options).respond(to: .tokens(tokens), options: .exactly(16))
            #expect(copy.text == plain.text && copy.statistics.logitsHash == plain.statistics.logitsHash)
        }
    }

    @Test func otherKeysAreComputedAgain() async throws {
        let (session, path) = try await saved()
        let tokens = await session.tokens
        let other = try Fixture.model().makeSession(.init(cacheType: .f32, drafter: .none))
        try await other.restore(from: path)
        #expect(await other.tokens == tokens)
        #expect(try await other.respond(to: .tokens(tokens), options: .exactly(2)).statistics.reusedTokens == 0)
    }

    @Test func restoringReplacesWhatWasThere() async throws {
        let (session, path) = try await saved()
        let other = try Fixture.model().makeSession(.plain)
        _ = try await other.respond(to: .text("class"), options: .exactly(30))
        try await other.restore(from: path)
        #expect(await other.tokens == session.tokens)
        #expect(await other.withLogits { $0.count } == nil)
        try await other.rewind(to: 2)
        #expect(await other.tokens.count == 2)
    }

    @Test func savingReplacesTheFileAndLeavesNothingElse() async throws {
        let (session, path) = try await saved()
        try await session.rewind(to: 1)
        try await session.save(to: path)
        let restored = try Fixture.model().makeSession(.plain)
        try await restored.restore(from: path)
        #expect(await restored.tokens.count == 1)
        let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["session"])
    }

    @Test func everyDamagedByteIsNoticed() async throws {
        let (_, path) = try await saved()
        let sound = try Data(contentsOf: URL(filePath: path))
        let session = try Fixture.model().makeSession(.plain)
        // The header and the tokens whole, the keys and values here and there.
        for index in sound.indices where index < 128 || index % 61 == 0 || index >= sound.count - 8 {
            var damaged = sound
            damaged[index] ^= 0x10
            try damaged.write(to: URL(filePath: path))
            await #expect("byte \(index)") { try await session.restore(from: path) } throws: {
                ($0 as? InferenceError)?.code == .unreadableFile
            }
        }
        for count in [0, 1, 8, 15, 16, 63, 71, 72, 200, sound.count - 8, sound.count - 1] {
            try sound.prefix(count).write(to: URL(filePath: path))
            await #expect("\(count) bytes") { try await session.restore(from: path) } throws: {
                ($0 as? InferenceError)?.code == .unreadableFile
            }
        }
        try (sound + [0]).write(to: URL(filePath: path))
        await #expect(throws: InferenceError.self) { try await session.restore(from: path) }
        #expect(await session.tokens.isEmpty)
    }

    @Test func filesOfOtherModelsAndSizesAreRefused() async throws {
        let (_, path) = try await saved()
        let other = try Fixture.model("tiny-qwen2-f32").makeSession(.plain)
        await expectRefusal(.invalidArgument) { try await other.restore(from: path) }
        let small = try Fixture.model().makeSession(.init(contextLength: 5, drafter: .none))
        await expectRefusal(.contextFull) { try await small.restore(from: path) }
    }

    @Test func pathsThatCannotBe() async throws {
        let (session, path) = try await saved()
        await expectRefusal(.unreadableFile) { try await session.restore(from: path + ".missing") }
        await expectRefusal(.unwritableFile) { try await session.save(to: path + "/below") }
    }
}
