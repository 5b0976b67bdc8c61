// Several clients at once: the bytes of their answers, prefixes, order and refusals.

import InferSupport
import InferTokenizers
import SwiftInfer
import Synchronization
import TestSupport
import Testing

@Suite struct SchedulerTests {
    /// A plain model, a recurrent one, one with compressed attention, one with experts, and one that keeps rows on the host.
    private static let models = [
        "tiny-llama-f32", "tiny-qwen35-q4_k_m", "tiny-deepseek2-lite-q8_0", "tiny-qwen3moe-q4_k_m",
    ]

    /// `count` different requests: greedy and sampled, short and long prompts, some that begin alike, with all drafters.
    private static func requests(_ count: Int, owner: String = "") -> [Scheduler.Request] {
        let drafters: [DrafterChoice] = [
            .none, .promptLookup, .suffixDecoding(.tree), .tokenRecycling,
            .codeSwift(CodeSwiftOptions(repository: .off, cache: .off)),
        ]
        return (0..<count).map { index in
            let beginning = index.isMultiple(of: 3) ? String(longText.prefix(700)) : ""
            var request = Scheduler.Request(
                .text(beginning + "func value\(index) = [\(index), 2, \(index * 7919)]\nfor item in x {"),
                options: .exactly(3 + index * 5 % 23) { options in
                    guard index.isMultiple(of: 2) else { return }
                    options.sampling.temperature = 0.9
                    options.sampling.topP = 0.95
                    options.sampling.seed = UInt64(index)
                })
            request.drafter = drafters[index % drafters.count]
            request.owner = owner
            return request
        }
    }

    /// The answer of a session of its own, without a drafter.
    private func alone(_ request: Scheduler.Request, _ model: Model, contextLength: Int) async throws -> Response {
        let session = try model.makeSession(.init(contextLength: contextLength, drafter: .none))
        return try await session.respond(to: request.prompt, options: request.options)
    }

    @Test(arguments: models)
    func answersDoNotDependOnOtherRequests(_ name: String) async throws {
        let model = try Fixture.model(name)
        let requests = Self.requests(16)
        var expected: [Response] = []
        for request in requests { expected.append(try await alone(request, model, contextLength: 900)) }
        for sequences in [2, 16] {
            var options = Scheduler.Options()
            options.sequences = sequences
            options.contextLength = 900
            let scheduler = try Scheduler(model, options: options)
            // Twice, so that the second round goes on from what the first one left.
            for round in 0..<2 {
                let running = try requests.map { try scheduler.submit($0) }
                for (index, generation) in running.enumerated() {
                    let response = try await generation.response()
                    let label = Comment("\(name), \(sequences) sequences, round \(round), request \(index)")
                    #expect(response.text == expected[index].text, label)
                    #expect(response.statistics.logitsHash == expected[index].statistics.logitsHash, label)
                    #expect(response.statistics.finishReason == expected[index].statistics.finishReason, label)
                }
            }
            let status = scheduler.status
            #expect(status.waiting == 0 && !status.sequences.contains { $0.isProcessing })
            #expect(status.sequences.count == sequences)
            #expect(status.generatedTokens == 2 * expected.reduce(0) { $0 + $1.statistics.tokens.count })
            if sequences == 16 { #expect(status.sequencesInSteps > 2 * status.steps) }
        }
    }

    @Test(arguments: models)
    func parkedPrefixesAreRestored(_ name: String) async throws {
        let model = try Fixture.model(name)
        var options = Scheduler.Options()
        options.sequences = 1
        options.contextLength = 900
        let scheduler = try Scheduler(model, options: options)
        let prompts = [longText, "// Another file.\n" + longText].map { Prompt.text(String($0.prefix(900))) }
        var answers: [Response] = []
        for round in 0..<3 {
            for (index, prompt) in prompts.enumerated() {
                let response = try await scheduler.submit(.init(prompt, options: .exactly(9))).response()
                if round == 0 {
                    answers.append(response)
                    continue
                }
                #expect(response.statistics.logitsHash == answers[index].statistics.logitsHash)
                #expect(response.text == answers[index].text)
                #expect(response.statistics.reusedTokens > response.statistics.promptTokens / 2)
            }
        }
        #expect(scheduler.status.parkedSequences > 0)
        #expect(scheduler.status.parkedBytes > 0)
    }

    @Test func ownersShareNothing() async throws {
        let model = try Fixture.model()
        let scheduler = try Scheduler(model)
        for (round, owner) in ["a", "b", "a", "b"].enumerated() {
            var request = Scheduler.Request(.text(longText), options: .exactly(4))
            request.owner = owner
            request.drafter = .promptLookup
            let response = try await scheduler.submit(request).response()
            #expect((response.statistics.reusedTokens == 0) == (round < 2))
        }
        var request = Scheduler.Request(.text(longText), options: .exactly(4))
        (request.owner, request.reusesPrefix) = ("a", false)
        #expect(try await scheduler.submit(request).response().statistics.reusedTokens == 0)
    }

    @Test func requestsThatBeginAlikeComputeItOnce() async throws {
        let model = try Fixture.model()
        var options = Scheduler.Options()
        options.sequences = 4
        let scheduler = try Scheduler(model, options: options)
        let running = try (0..<4).map {
            try scheduler.submit(.init(.text(longText + "let end\($0)"), options: .exactly(8)))
        }
        var reused: [Int] = []
        for generation in running { reused.append(try await generation.response().statistics.reusedTokens) }
        #expect(reused.count { $0 == 0 } == 1)
    }

    @Test func aFullQueueRefuses() async throws {
        let model = try Fixture.model()
        var options = Scheduler.Options()
        (options.sequences, options.maximumWaiting) = (1, 2)
        let scheduler = try Scheduler(model, options: options)
        let request = Scheduler.Request(.text("x"), options: .exactly(2000))
        // The first one may still be on its way to the sequence.
        var running: [ScheduledGeneration] = []
        let error = #expect(throws: InferenceError.self) {
            for _ in 0..<5 { running.append(try scheduler.submit(request)) }
        }
        #expect(error?.code == .busy)
        #expect((2...3).contains(running.count))
        for generation in running { generation.cancel() }
        for generation in running {
            #expect(try await generation.response().statistics.finishReason == .cancelled)
        }
        #expect(
            try await scheduler.submit(.init(.text("x"), options: .exactly(3))).response().statistics.tokens.count == 3)
    }

    @Test func releasingAnAnswerEndsIt() async throws {
        let model = try Fixture.model()
        let scheduler = try Scheduler(model)
        for try await event in try scheduler.submit(.init(.text("x"), options: .exactly(4000))) {
            if case .text = event { break }
        }
        while scheduler.status.sequences.contains(where: \.isProcessing) { await Task.yield() }
        #expect(scheduler.status.generatedTokens < 4000)
    }

    @Test func stoppingCancelsAll() async throws {
        let scheduler = try Scheduler(try Fixture.model())
        let running = try (0..<6).map { _ in try scheduler.submit(.init(.text("x"), options: .exactly(4000))) }
        scheduler.stop()
        for generation in running {
            #expect(try await generation.response().statistics.finishReason == .cancelled)
        }
        #expect(throws: InferenceError.self) { try scheduler.submit(.init(.text("x"))) }
    }

    /// Otherwise the memory would grow with the owners.
    @Test func fewIdleDraftersAreKept() async throws {
        let made = Mutex(0)
        let choice = DrafterChoice("counted") { _ in
            made.withLock { $0 += 1 }
            return PromptLookupDrafter()
        }
        var options = Scheduler.Options()
        options.sequences = 1
        options.contextLength = 200
        let scheduler = try Scheduler(try Fixture.model("tiny-llama-f32"), options: options)
        func use(_ owner: String) async throws {
            var request = Scheduler.Request(.text("let a = 1"), options: .exactly(2))
            (request.owner, request.drafter) = (owner, choice)
            _ = try await scheduler.submit(request).response()
        }
        for owner in ["a", "b", "c", "d", "d", "a"] { try await use(owner) }
        #expect(made.withLock { $0 } == 4)
        // The fifth one replaces the one that was not used for the longest time.
        for owner in ["e", "a", "c", "d"] { try await use(owner) }
        #expect(made.withLock { $0 } == 5)
        try await use("b")
        #expect(made.withLock { $0 } == 6)
    }

    @Test func badRequestsAreRefusedAtOnce() throws {
        var options = Scheduler.Options()
        options.contextLength = 20
        let scheduler = try Scheduler(try Fixture.model(), options: options)
        for (request, code) in [
            (Scheduler.Request(.text(longText)), InferenceError.Code.contextFull),
            (Scheduler.Request(.tokens([-1])), .invalidArgument),
            (Scheduler.Request(.text("x"), options: .init(maximumTokens: -1)), .invalidArgument),
            (Scheduler.Request(.text("x"), options: .init(maximumTokens: 1, stop: [""])), .invalidArgument),
        ] {
            let error = #expect(throws: InferenceError.self) { try scheduler.submit(request) }
            #expect(error?.code == code)
        }
        #expect(scheduler.status.steps == 0)
    }

    @Test func tokensAreReported() async throws {
        let model = try Fixture.model()
        let scheduler = try Scheduler(model)
        var options = GenerationOptions.exactly(30)
        (options.reportsTokens, options.topLogProbabilities) = (true, 3)
        var request = Scheduler.Request(.text("for item in x where item > 100 {"), options: options)
        request.drafter = .promptLookup
        var tokens: [GeneratedToken] = []
        var final: Statistics?
        for try await event in try scheduler.submit(request) {
            switch event {
            case .token(let token): tokens.append(token)
            case .finished(let statistics): final = statistics
            case .progress, .text: break
            }
        }
        #expect(tokens.map(\.id) == final?.tokens)
        for token in tokens {
            #expect(token.bytes == Array(model.tokenizer.bytes(of: token.id)))
            #expect(token.top.count == 3)
            // Greedy: the token is the most probable one.
            #expect(token.top.first?.id == token.id)
            #expect(abs((token.logProbability ?? 1) - (token.top.first?.logProbability ?? 0)) < 1e-6)
        }
        #expect(tokens.count(where: \.isDrafted) == final?.draft.accepted)
    }
}
