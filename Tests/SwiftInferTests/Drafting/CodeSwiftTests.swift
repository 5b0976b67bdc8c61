// CodeSwift as sessions use it.

import Foundation
import SwiftInfer
import TestSupport
import Testing

@Suite struct CodeSwiftTests {
    private let prompt = Prompt.text("def fib(n):\n    return fib(n - 1) + fib(n - 2)\n\ndef fib(n):\n")

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Without being asked, it reads no repository and keeps nothing.
    @Test func sessionsUseItUnlessToldOtherwise() {
        #expect(Session.Options().drafter.description == "codeswift")
        #expect(CodeSwiftOptions().repository == .off)
        #expect(CodeSwiftOptions().cache == .off)
    }

    @Test func itChangesNothingAndKeepsWhatItLearned() async throws {
        let model = try Fixture.model()
        let expected = try await model.makeSession(.plain).respond(to: prompt, options: .exactly(40))
        for round in 0..<2 {
            let drafter = DrafterChoice.codeSwift(CodeSwiftOptions(repository: .off, cache: .folder(folder.path)))
            let session = try model.makeSession(.init(drafter: drafter))
            let response = try await session.respond(to: prompt, options: .exactly(40))
            #expect(response.statistics.logitsHash == expected.statistics.logitsHash)
            #expect(response.text == expected.text)
            // Nothing is written before the session goes, which is somewhat after its last use.
            withExtendedLifetime(session) { #expect(folder.names.count == round) }
            for _ in 0..<1000 where folder.names.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        }
        #expect(folder.names.count { $0.hasSuffix(".drafts") } == 1)
    }

    @Test func withoutACacheNothingIsWritten() async throws {
        let drafter = DrafterChoice.codeSwift(CodeSwiftOptions(repository: .off, cache: .off))
        _ = try await Fixture.model().makeSession(.init(drafter: drafter)).respond(to: prompt, options: .exactly(8))
        #expect(folder.names.isEmpty)
    }

    @Test func sessionsThatDoNothingWriteNothing() throws {
        let drafter = DrafterChoice.codeSwift(CodeSwiftOptions(repository: .off, cache: .folder(folder.path)))
        _ = try Fixture.model().makeSession(.init(drafter: drafter))
        #expect(folder.names.isEmpty)
    }
}
