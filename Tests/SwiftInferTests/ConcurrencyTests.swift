// Leaving, cancelling, and doing several things at once.

import InferSupport
import SwiftInfer
import TestSupport
import Testing

@Suite struct ConcurrencyTests {
    private let prompt = Prompt.text("for item in x where item > 100 {")

    @Test func whatUsersPassAroundIsSendable() {
        func require<T: Sendable>(_: T.Type) -> Bool { true }
        #expect(require(Model.self) && require(Session.self) && require(Generation.self) && require(Statistics.self))
    }

    @Test func leavingTheLoopStopsTheWork() async throws {
        let session = try Fixture.model().makeSession(.plain)
        let whole = try await session.respond(to: prompt, options: .exactly(40))
        var pieces = 0
        for try await event in session.generate(prompt, options: .exactly(40)) {
            guard case .text = event else { continue }
            pieces += 1
            if pieces == 5 { break }
        }
        let tokens = await session.tokens
        #expect(tokens.count < whole.statistics.promptTokens + 40)
        for _ in 0..<50 { await Task.yield() }
        #expect(await session.tokens == tokens)
        // What was accepted stays: the rest can be had from there.
        let done = tokens.count - whole.statistics.promptTokens
        let rest = try await session.respond(to: .tokens(tokens), options: .exactly(40 - done))
        #expect(Array(tokens.suffix(done)) + rest.statistics.tokens == whole.statistics.tokens)
    }

    @Test func cancellingKeepsWhatIsThere() async throws {
        let session = try Fixture.model().makeSession(.plain)
        let whole = try await session.respond(to: prompt, options: .exactly(40))
        let task = Task {
            var pieces = 0
            for try await event in session.generate(prompt, options: .exactly(40)) {
                switch event {
                case .text:
                    pieces += 1
                    if pieces == 4 { withUnsafeCurrentTask { $0?.cancel() } }
                case .finished(let statistics): return Optional(statistics)
                case .progress, .token: break
                }
            }
            return nil
        }
        let statistics = try #require(try await task.value)
        #expect(statistics.finishReason == .cancelled)
        #expect(!statistics.tokens.isEmpty && statistics.tokens.count < 40)
        #expect(whole.statistics.tokens.starts(with: statistics.tokens))
        let tokens = await session.tokens
        #expect(tokens.suffix(statistics.tokens.count) == statistics.tokens[...])
        let rest = try await session.respond(
            to: .tokens(tokens), options: .exactly(40 - statistics.tokens.count))
        #expect(statistics.tokens + rest.statistics.tokens == whole.statistics.tokens)
    }

    @Test func cancellingBetweenThePartsOfAPrompt() async throws {
        let session = try Fixture.model().makeSession(.plain)
        let task = Task {
            var evaluated = 0
            for try await event in session.generate(.text(longText), options: .exactly(4)) {
                if case .progress(let count, _) = event {
                    evaluated = count
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            return evaluated
        }
        let evaluated = try await task.value
        #expect(evaluated > 0)
        #expect(await session.tokens.count == evaluated)
        let response = try await session.respond(to: .text(longText), options: .exactly(4))
        #expect(response.statistics.reusedTokens == evaluated)
    }

    @Test func aCancelledTaskBeginsNothing() async throws {
        let session = try Fixture.model().makeSession(.plain)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await session.respond(to: prompt, options: .exactly(4))
        }
        let response = try await task.value
        #expect(response.statistics.finishReason == .cancelled)
        #expect(response.statistics.tokens.isEmpty)
        #expect(await session.tokens.isEmpty)
    }

    @Test func oneGenerationAtATime() async throws {
        let session = try Fixture.model().makeSession(.plain)
        let folder = try TemporaryFolder()
        let path = folder.path("session")
        defer { withExtendedLifetime(folder) {} }
        do {
            var first = session.generate(prompt, options: .exactly(6)).makeAsyncIterator()
            _ = try await first.next()
            await expectRefusal(.busy) { _ = try await session.respond(to: prompt) }
            await expectRefusal(.busy) { try await session.rewind(to: 0) }
            await expectRefusal(.busy) { try await session.save(to: path) }
            await expectRefusal(.busy) { try await session.restore(from: path) }
            // The first goes on as if nothing had happened.
            var tokens = 0
            while let event = try await first.next() {
                if case .finished(let statistics) = event { tokens = statistics.tokens.count }
            }
            #expect(tokens == 6)
        }
        #expect(try await session.respond(to: prompt, options: .exactly(2)).statistics.tokens.count == 2)
    }

    @Test func anIteratorThatIsGoneFreesTheSession() async throws {
        let session = try Fixture.model().makeSession(.plain)
        do {
            var iterator = session.generate(prompt).makeAsyncIterator()
            _ = try await iterator.next()
        }
        #expect(try await session.respond(to: prompt, options: .exactly(2)).statistics.tokens.count == 2)
    }

    @Test func anErrorFreesTheSession() async throws {
        let session = try Fixture.model().makeSession(.plain)
        var iterator = session.generate(.tokens([-1])).makeAsyncIterator()
        await #expect(throws: InferenceError.self) { _ = try await iterator.next() }
        #expect(try await session.respond(to: prompt, options: .exactly(2)).statistics.tokens.count == 2)
        #expect(try await iterator.next() == nil)
    }

    @Test func sessionsOfOneModelDoNotDisturbEachOther() async throws {
        let model = try Fixture.model()
        let prompts = ["def fib(n):", "class Stack:", "let x = [1, 2, 3]", "func main() -> Int {"]
        var alone: [Response] = []
        for prompt in prompts {
            alone.append(try await model.makeSession(.plain).respond(to: .text(prompt), options: .exactly(25)))
        }
        try await withThrowingTaskGroup(of: (Int, Response).self) { group in
            for (index, prompt) in prompts.enumerated() {
                let session = try model.makeSession(.plain)
                group.addTask { (index, try await session.respond(to: .text(prompt), options: .exactly(25))) }
            }
            for try await (index, response) in group {
                #expect(response.text == alone[index].text)
                #expect(response.statistics.logitsHash == alone[index].statistics.logitsHash)
            }
        }
    }
}
