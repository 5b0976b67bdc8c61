// Generations of many clients in shared steps: the public interface.

import Dispatch
import InferDecoding
public import InferSupport
public import InferTensors
import InferTokenizers
import Synchronization

/// Runs the generations of many clients at once. Each step of the model computes rows of all running sequences.
///
/// **Exactness.** The answer to a request has the same bytes alone, among others, with any drafter, and after any earlier request.
///
/// Sequences join and leave between steps. Prompts are evaluated in chunks beside the answers of others; the chunks are so small
/// that a step takes at most about twice its time without them. Draft nodes of all sequences compete for the rows of a step
/// (`DraftSelection`). If all sequences are in use, requests wait, and owners take turns.
///
/// What was computed for a prompt and its answer stays in the sequence, and is parked when another request needs the sequence. A
/// later prompt of the same owner that begins with the same tokens goes on from there.
public final class Scheduler: ModelUser {
    /// Options of a scheduler.
    public struct Options: Sendable {
        /// The maximum number of sequences that run at once.
        public var sequences = 4
        /// The maximum number of tokens of prompt and answer of a request; nil as in ``Session/Options``.
        public var contextLength: Int?
        /// The storage type of keys and values.
        public var cacheType = KVCacheType.f16
        /// The maximum number of requests that wait for a sequence. Further ones are refused.
        public var maximumWaiting = 64
        /// The maximum memory, in bytes, of what is parked.
        public var parkedByteLimit = 1 << 30

        /// Four sequences.
        public init() {}
    }

    /// What to generate, and for whom.
    public struct Request: Sendable {
        /// The text to continue.
        public var prompt: Prompt
        /// The options of the generation.
        public var options: GenerationOptions
        /// The client. Owners share neither prefixes nor what drafters learned.
        public var owner = ""
        /// The drafter. Requests of one owner with drafters of the same name share what was learned.
        public var drafter = DrafterChoice.none
        /// Whether to go on from what an earlier request computed.
        public var reusesPrefix = true

        /// A request of a client without a name.
        public init(_ prompt: Prompt, options: GenerationOptions = .init()) {
            self.prompt = prompt
            self.options = options
        }
    }

    /// The model.
    public let model: Model
    /// The maximum number of tokens of prompt and answer of a request.
    public let contextLength: Int
    private let inbox: Inbox
    private let loop: StepLoop

    /// A scheduler without requests. Its first sequence is allocated here, so that missing memory is noticed early.
    ///
    /// - Throws: ``InferenceError``: `invalidArgument` for options out of range, `outOfMemory`.
    public init(_ model: Model, options: Options = .init()) throws(InferenceError) {
        for (name, value) in [("sequences", options.sequences), ("waiting requests", options.maximumWaiting + 1)]
        where !(1...1 << 16).contains(value) {
            throw InferenceError(.invalidArgument, "the number of \(name) is out of range")
        }
        let session = Session.Options(contextLength: options.contextLength, cacheType: options.cacheType)
        contextLength = try session.contextLength(of: model)
        self.model = model
        inbox = Inbox(options)
        inbox.update(stillWaiting: 0) { $0.sequences = [Status.Sequence()] }
        loop = try StepLoop(model, options, contextLength: contextLength, inbox: inbox)
        try model.register(self)
    }

    deinit { stop() }

    /// Adds a request. It is tokenized here, and starts when a sequence is free.
    ///
    /// - Throws: ``InferenceError``: `busy` if too many requests wait, or after ``stop()``; `contextFull` if the prompt does not fit;
    ///   `invalidArgument` for invalid options or tokens; an error of the chat template.
    public func submit(_ request: Request) throws(InferenceError) -> ScheduledGeneration {
        // After the model is unloaded, this is the error.
        _ = try model.transformer
        var options = request.options
        try options.validate()
        // A refusal should not cost the time of tokenizing.
        try inbox.requireRoom()
        let limit = contextLength - options.reservedTokens(of: contextLength)
        let tokens = try model.tokens(for: request.prompt, limit: limit)
        // Here rather than between the steps of others: the first use of a grammar takes time.
        if let grammar = options.grammar { _ = model.grammars.constraint(for: grammar) }
        guard tokens.count <= contextLength else {
            throw InferenceError(
                .contextFull, "the prompt has \(tokens.count) tokens, but the context holds only \(contextLength)")
        }
        if request.drafter.description == DrafterChoice.none.description { options.usesDrafter = false }
        let (stream, continuation) = AsyncStream.makeStream(of: Result<Generation.Event, InferenceError>.self)
        let ticket = SchedulerTicket(continuation)
        continuation.onTermination = { _ in ticket.cancel() }
        let isIdle = try inbox.add(
            WaitingRequest(
                tokens: tokens, options: options, owner: request.owner, drafter: request.drafter,
                reusesPrefix: request.reusesPrefix, ticket: ticket))
        if isIdle {
            let loop = loop
            Task.detached { await loop.run() }
        }
        return ScheduledGeneration(stream: stream, ticket: ticket)
    }

    /// The current figures.
    public var status: Status { inbox.status }

    /// Cancels all generations and refuses new ones.
    public func stop() { inbox.stop() }

    /// Ends all generations and frees all sequences.
    func modelIsUnloaded() async {
        stop()
        await loop.clear()
    }
}

extension Scheduler {
    /// The figures of a scheduler. All counts but those of sequences and waiting requests are sums since the start.
    public struct Status: Sendable {
        /// A sequence.
        public struct Sequence: Sendable {
            /// Its number, from 0.
            public internal(set) var id = 0
            /// Whether it belongs to a running request.
            public internal(set) var isProcessing = false
            /// The number of tokens that it holds.
            public internal(set) var tokenCount = 0
            /// The number of the prompt's tokens of the running request; 0 without one.
            public internal(set) var promptTokens = 0
            /// The number of tokens generated for it so far; 0 without one.
            public internal(set) var generatedTokens = 0
        }

        /// The sequences that were allocated so far.
        public internal(set) var sequences: [Sequence] = []
        /// The number of requests that wait for a sequence.
        public internal(set) var waiting = 0
        /// The memory of parked prefixes, in bytes.
        public internal(set) var parkedBytes = 0
        /// The number of parked prefixes.
        public internal(set) var parkedSequences = 0
        /// The number of steps, of their rows, and of their sequences.
        public internal(set) var steps = 0, rows = 0, sequencesInSteps = 0
        /// The rows of the last step.
        public internal(set) var lastRows = 0
        /// The evaluated tokens of prompts, without reused ones, and the time of the steps that had any.
        public internal(set) var promptTokens = 0, promptSeconds = 0.0
        /// The generated tokens, and the time of the steps that they came from.
        public internal(set) var generatedTokens = 0, generationSeconds = 0.0
        /// The tokens of prompts that were not evaluated again.
        public internal(set) var reusedTokens = 0
        /// The number of checked drafts, of their nodes, and of accepted nodes.
        public internal(set) var drafts = 0, draftedTokens = 0, acceptedTokens = 0
        /// The number of drafts whose first, second, … token on the path was accepted.
        public internal(set) var acceptedPerPosition: [Int] = []
    }
}

/// The answer to a request as a sequence of events. The generation runs whether or not somebody asks for the events. It ends early
/// when this value and its iterators are released, when the task that iterates is cancelled, or by ``cancel()``.
public struct ScheduledGeneration: AsyncSequence, Sendable {
    /// The kind of error a generation can throw.
    public typealias Failure = InferenceError

    let stream: AsyncStream<Result<Generation.Event, InferenceError>>
    let ticket: SchedulerTicket

    /// Ends the generation within one step. Its statistics still arrive.
    public func cancel() { ticket.cancel() }

    /// The iterator. There can be only one.
    public struct AsyncIterator: AsyncIteratorProtocol {
        var base: AsyncStream<Result<Generation.Event, InferenceError>>.Iterator

        /// The next event; nil after the end, or when the task is cancelled.
        ///
        /// - Throws: ``InferenceError`` if the generation failed.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(InferenceError) -> Generation.Event? {
            try await base.next(isolation: actor)?.get()
        }
    }

    /// An iterator over all events.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: stream.makeAsyncIterator()) }

    /// Waits for the end and returns the whole text.
    public func response() async throws(InferenceError) -> Response { try await Response(of: self) }
}

// MARK: Between clients and the loop

/// What client and loop share of one request.
final class SchedulerTicket: Sendable {
    private let continuation: AsyncStream<Result<Generation.Event, InferenceError>>.Continuation
    private let cancelled = Atomic(false)
    /// When the request was made.
    let start = ContinuousClock.now

    init(_ continuation: AsyncStream<Result<Generation.Event, InferenceError>>.Continuation) {
        self.continuation = continuation
    }

    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    func cancel() { cancelled.store(true, ordering: .relaxed) }

    func send(_ event: Generation.Event) { continuation.yield(.success(event)) }

    /// Sends the last event.
    func end(_ statistics: Statistics) {
        send(.finished(statistics))
        continuation.finish()
    }

    func fail(_ error: InferenceError) {
        continuation.yield(.failure(error))
        continuation.finish()
    }
}

/// A request that waits for a sequence.
struct WaitingRequest: Sendable {
    let tokens: [TokenID]
    let options: GenerationOptions
    let owner: String
    let drafter: DrafterChoice
    let reusesPrefix: Bool
    let ticket: SchedulerTicket
}

/// The waiting requests, and the figures that clients read.
final class Inbox: Sendable {
    private struct Content {
        var waiting: [WaitingRequest] = []
        /// Requests that the loop has taken and that still wait.
        var taken = 0
        /// Requests that have not ended.
        var outstanding = 0
        var isRunning = false
        var isStopped = false
        var status = Scheduler.Status()
    }
    private let content = Mutex(Content())
    private let maximumWaiting: Int, sequences: Int

    init(_ options: Scheduler.Options) { (maximumWaiting, sequences) = (options.maximumWaiting, options.sequences) }

    var isStopped: Bool { content.withLock { $0.isStopped } }

    var status: Scheduler.Status {
        content.withLock { content in
            var status = content.status
            status.waiting = content.waiting.count + content.taken
            return status
        }
    }

    /// - Throws: `busy`.
    func requireRoom() throws(InferenceError) {
        try content.withLock { content throws(InferenceError) in try requireRoom(content) }
    }

    private func requireRoom(_ content: borrowing Content) throws(InferenceError) {
        if content.isStopped { throw InferenceError(.busy, "the scheduler has stopped") }
        guard content.outstanding < sequences + maximumWaiting else {
            throw InferenceError(.busy, "\(maximumWaiting) requests are waiting already")
        }
    }

    /// Adds a request.
    ///
    /// - Returns: Whether the loop has to be started.
    func add(_ request: WaitingRequest) throws(InferenceError) -> Bool {
        try content.withLock { content throws(InferenceError) in
            try requireRoom(content)
            content.waiting.append(request)
            content.outstanding += 1
            defer { content.isRunning = true }
            return !content.isRunning
        }
    }

    /// The new requests; `stillWaiting` earlier ones have no sequence yet.
    ///
    /// - Returns: nil if there are none and `isIdle`. The loop then ends, and the next request starts it again.
    func take(stillWaiting: Int, isIdle: Bool) -> [WaitingRequest]? {
        content.withLock { content in
            if isIdle, content.waiting.isEmpty {
                content.isRunning = false
                return nil
            }
            defer {
                content.taken = stillWaiting + content.waiting.count
                content.waiting = []
            }
            return content.waiting
        }
    }

    /// Changes the figures. `ended` requests have ended since the last call.
    func update(stillWaiting: Int, ended: Int = 0, _ body: (inout Scheduler.Status) -> Void) {
        content.withLock { content in
            content.taken = stillWaiting
            content.outstanding -= ended
            body(&content.status)
        }
    }

    func stop() { content.withLock { $0.isStopped = true } }
}
