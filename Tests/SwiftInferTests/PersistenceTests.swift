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
        #expect(copy.statistics.reusedTokens == 0)
        #expect(copy.text == original.text)
        #expect(copy.statistics.logitsHash == original.statistics.logitsHash)
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
        for index in sound.indices {
            var damaged = sound
            damaged[index] ^= 0x10
            try damaged.write(to: URL(filePath: path))
            await #expect("byte \(index)") { try await session.restore(from: path) } throws: {
                ($0 as? InferenceError)?.code == .unreadableFile
            }
        }
        for count in [0, 1, 8, 31, 39, 40, sound.count - 8, sound.count - 1] {
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
