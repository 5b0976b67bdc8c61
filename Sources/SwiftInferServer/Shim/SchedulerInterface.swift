// TEMPORARY: stands in for the scheduler of the library until it lands. Delete then.

public import InferSupport
public import SwiftInfer
import Synchronization

public final class Scheduler: Sendable {
    public struct Options: Sendable {
        public var sequences = 4
        public var contextLength: Int?
        public var cacheType = KVCacheType.f16
        public var maximumWaiting = 64
        public var parkedByteLimit = 1 << 30
        public init() {}
    }
    public struct Request: Sendable {
        public var prompt: Prompt
        public var options: GenerationOptions
        public var owner = ""
        public var drafter = DrafterChoice.none
        public var reusesPrefix = true
        public init(_ prompt: Prompt, options: GenerationOptions = .init()) {
            self.prompt = prompt
            self.options = options
        }
    }
    public struct Status: Sendable {
        public struct Sequence: Sendable {
            public var id = 0
            public var isProcessing = false
            public var tokenCount = 0
            public var promptTokens = 0
            public var generatedTokens = 0
        }
        public var sequences: [Sequence] = [.init()]
        public var waiting = 0, parkedBytes = 0, parkedSequences = 0, steps = 0, rows = 0, sequencesInSteps = 0
        public var promptTokens = 0, promptSeconds = 0.0, generatedTokens = 0, generationSeconds = 0.0
        public var reusedTokens = 0, drafts = 0, draftedTokens = 0, acceptedTokens = 0, acceptedPerPosition: [Int] = []
    }
    public let model: Model
    public let contextLength: Int
    private let options: Options
    private let running = Mutex(0)
    public init(_ model: Model, options: Options = .init()) throws(InferenceError) {
        self.model = model
        self.options = options
        contextLength = try Session.Options(contextLength: options.contextLength).contextLength(of: model)
    }
    public func submit(_ request: Request) throws(InferenceError) -> ScheduledGeneration {
        let count = running.withLock { value in
            value += 1
            return value
        }
        guard count <= options.sequences + options.maximumWaiting else {
            running.withLock { $0 -= 1 }
            throw InferenceError(.busy, "too many requests wait")
        }
        let session = try model.makeSession(.init(contextLength: contextLength, drafter: request.drafter))
        let (stream, continuation) = AsyncThrowingStream<ScheduledGeneration.Event, any Error>.makeStream()
        let task = Task {
            defer { self.running.withLock { $0 -= 1 } }
            do {
                for try await event in session.generate(request.prompt, options: request.options) {
                    switch event {
                    case .progress(let evaluated, let total):
                        continuation.yield(.progress(evaluated: evaluated, of: total))
                    case .text(let text): continuation.yield(.text(text))
                    case .finished(let statistics): continuation.yield(.finished(statistics))
                    }
                }
                continuation.finish()
            } catch { continuation.finish(throwing: error) }
        }
        continuation.onTermination = { _ in task.cancel() }
        return ScheduledGeneration(stream: stream, task: task)
    }
    public var status: Status { Status() }
    public func stop() {}
}

public struct ScheduledGeneration: AsyncSequence, Sendable {
    public enum Event: Sendable {
        case progress(evaluated: Int, of: Int)
        case text(String)
        case token(GeneratedToken)
        case finished(Statistics)
    }
    public typealias Element = Event
    public typealias Failure = InferenceError
    let stream: AsyncThrowingStream<Event, any Error>
    let task: Task<Void, Never>
    public func cancel() { task.cancel() }
    public struct AsyncIterator: AsyncIteratorProtocol {
        var iterator: AsyncThrowingStream<Event, any Error>.AsyncIterator
        public mutating func next(isolation actor: isolated (any Actor)? = #isolation) async throws(InferenceError)
            -> Event?
        {
            do { return try await iterator.next(isolation: actor) } catch let error as InferenceError {
                throw error
            } catch {
                throw InferenceError(.cancelled, "cancelled")
            }
        }
    }
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(iterator: stream.makeAsyncIterator()) }
}

public struct TokenProbability: Sendable { public var id: TokenID = 0; public var logProbability = 0.0 }
public struct GeneratedToken: Sendable {
    public var id: TokenID = 0
    public var bytes: [UInt8] = []
    public var isDrafted = false
    public var logProbability: Double?
    public var top: [TokenProbability] = []
}
extension GenerationOptions {
    var reportsTokens: Bool {
        get { false }
        set {}
    }
    var topLogProbabilities: Int? {
        get { nil }
        set {}
    }
    var timeLimitAfterNewline: Duration? {
        get { nil }
        set {}
    }
    var minimumIndentation: Int? {
        get { nil }
        set {}
    }
}
extension Statistics { var queueDuration: Duration { .zero } }
