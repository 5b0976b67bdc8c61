// A session: one conversation or document with a model.

import Dispatch
import InferDecoding
import InferGGUF
public import InferSupport
public import InferTensors
public import InferTokenizers
import InferTransformer

/// A sequence of tokens that a model extends.
///
/// A session runs one generation at a time. Another one throws `busy` until the first has finished, has thrown, or its iterator
/// is released. All work happens on a thread of the model, never on Swift's cooperative pool. A step never suspends, so
/// ``tokens`` always agrees with the session's state. Sessions of one model take turns, step by step.
public actor Session: ModelUser {
    /// The model.
    public nonisolated let model: Model
    /// The maximum number of tokens of prompt and answer together.
    public nonisolated let contextLength: Int

    /// Nil after the model is unloaded.
    private var loadedSequence: TokenSequence?
    private var planner: DraftPlanner?
    /// The name under which the planner is kept for later; nil if it is not kept.
    private var plannerName: String?
    private var parked: [String: DraftPlanner] = [:]
    /// The step cost that was measured with the previous drafter.
    private var stepCost = StepCost(maximumRows: DraftPlanner.maximumRows)
    private weak var ticket: GenerationTicket?
    private var run: GenerationRun?

    init(_ model: Model, _ options: Options) throws(InferenceError) {
        let length = try options.contextLength(of: model)
        self.model = model
        contextLength = length
        loadedSequence = TokenSequence(
            try model.transformer.makeSequence(capacity: length, cacheType: options.cacheType))
        planner = try options.drafter.makePlanner(for: model)
        try model.register(self)
    }

    /// The tokens and their state.
    ///
    /// - Throws: ``InferenceError`` with `unloaded`.
    var sequence: TokenSequence {
        get throws(InferenceError) {
            if let loadedSequence { return loadedSequence }
            _ = try model.transformer
            throw InferenceError(.unloaded, "the session's model is unloaded")
        }
    }

    /// Frees the session's memory.
    func modelIsUnloaded() {
        release()
        (loadedSequence, planner, parked) = (nil, nil, [:])
    }

    /// The model's own thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { model.executor.asUnownedSerialExecutor() }

    /// The accepted tokens: those of the last prompt, as far as it was evaluated, and those of its answer.
    public var tokens: [TokenID] { loadedSequence?.tokens ?? [] }

    /// Continues `prompt`. All work happens while the result is iterated over.
    public nonisolated func generate(_ prompt: Prompt, options: GenerationOptions = .init()) -> Generation {
        Generation(session: self, prompt: prompt, options: options)
    }

    /// Continues `prompt` and returns the whole answer. If the task is cancelled, returns the answer so far.
    ///
    /// - Throws: ``InferenceError``, as ``Generation/AsyncIterator/next(isolation:)`` does.
    public nonisolated func respond(
        to prompt: Prompt, options: GenerationOptions = .init()
    ) async throws(InferenceError) -> Response {
        try await generate(prompt, options: options).response()
    }

    /// Forgets all tokens from position `position` on.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` if there are fewer tokens, `busy` during a generation.
    public func rewind(to position: Int) throws(InferenceError) {
        try requireIdle()
        try sequence.rewind(to: position)
    }

    /// Uses a new `drafter` in later generations. The measured step cost is kept.
    ///
    /// - Throws: ``InferenceError`` with `busy` during a generation, or an error of making the drafter. The session then keeps
    ///   the drafter it had.
    public func use(_ drafter: DrafterChoice) throws(InferenceError) {
        try requireIdle()
        replacePlanner(by: try drafter.makePlanner(for: model))
    }

    /// Like ``use(_:)``, but a drafter that this function replaced earlier is used again, with all that it learned, if it has the
    /// same name.
    package func resume(_ drafter: DrafterChoice) throws(InferenceError) {
        try requireIdle()
        let name = drafter.description
        guard name != plannerName else { return }
        var next = parked.removeValue(forKey: name)
        if next == nil { next = try drafter.makePlanner(for: model) }
        if let plannerName, let planner { parked[plannerName] = planner }
        replacePlanner(by: next)
        plannerName = name
    }

    private func replacePlanner(by next: DraftPlanner?) {
        if let planner { stepCost = planner.cost }
        planner = next
        planner?.cost = stepCost
        plannerName = nil
    }

    /// The step cost: for each number of rows, from 1, the time over that of one row. Empty before the first step with a drafter.
    package var stepCostCurve: [Double] { (planner?.cost ?? stepCost).curve }

    /// Calls `body` with the logits after the last token, one per token of the vocabulary. Returns nil if there are none: before
    /// the first evaluation, and after a token is chosen that no draft contained.
    public func withLogits<R: Sendable, E: Error>(
        _ body: @Sendable (Span<Float>) throws(E) -> R
    ) throws(E) -> R? {
        let count = model.tokenizer.count
        let result: Result<R, E>?? = loadedSequence?.withLogits { logits in
            let row = UnsafeBufferPointer(rebasing: logits.prefix(count))
            do throws(E) { return .success(try body(row.span)) } catch { return .failure(error) }
        }
        return try result??.get()
    }

    /// Takes the session for work of another kind than a generation.
    func begin() throws(InferenceError) -> GenerationTicket {
        try requireIdle()
        let ticket = GenerationTicket()
        self.ticket = ticket
        return ticket
    }

    /// Ends that work.
    func end(_ ticket: GenerationTicket) { if self.ticket === ticket { release() } }

    /// - Throws: ``InferenceError`` with `busy` while a generation has begun and not ended.
    func requireIdle() throws(InferenceError) {
        guard ticket == nil else {
            throw InferenceError(.busy, "the session is generating already; a session does one thing at a time")
        }
        run = nil
    }

    /// Does the work up to the next event of the generation of `ticket`. Begins the generation if the ticket is new.
    func advance(
        _ generation: Generation, _ ticket: GenerationTicket
    ) throws(InferenceError) -> Generation.Event {
        if self.ticket !== ticket {
            try requireIdle()
            run = try GenerationRun(generation.prompt, generation.options, sequence, model: model, planner: planner)
            self.ticket = ticket
        }
        do throws(InferenceError) {
            let event = try nextEvent()
            if case .finished = event { release() }
            return event
        } catch {
            release()
            throw error
        }
    }

    private func nextEvent() throws(InferenceError) -> Generation.Event {
        while run != nil {
            if let event = try run?.nextEvent(isCancelled: Task.isCancelled) { return event }
            guard let segment = run?.propose() else { break }
            let start = ContinuousClock.now
            let output = try model.transformer.evaluate(segment)
            run?.consume(output, took: ContinuousClock.now - start)
        }
        throw InferenceError(.invalidArgument, "the generation has ended")
    }

    private func release() {
        ticket = nil
        run = nil
    }
}

extension Session {
    /// Options of a session.
    public struct Options: Sendable {
        /// The maximum number of tokens of prompt and answer together; nil for the length that the model was trained for, at most
        /// 4096.
        public var contextLength: Int?
        /// The storage type of keys and values.
        public var cacheType = KVCacheType.f16
        /// The drafter. The default is CodeSwift over the text and the session's earlier answers; ``DrafterChoice/none`` is plain
        /// decoding.
        public var drafter = DrafterChoice.codeSwift()

        /// A session for `contextLength` tokens.
        public init(contextLength: Int? = nil, cacheType: KVCacheType = .f16, drafter: DrafterChoice = .codeSwift()) {
            self.contextLength = contextLength
            self.cacheType = cacheType
            self.drafter = drafter
        }

        /// With larger values, sizes in bytes could overflow.
        private static let largestContextLength = 1 << 30
        fileprivate static let defaultContextLength = 4096

        /// The requested context length, or the default one.
        ///
        /// - Throws: ``InferenceError`` with `invalidArgument` for one that is out of range.
        package func contextLength(of model: Model) throws(InferenceError) -> Int {
            try contextLength(trained: model.configuration.contextLength)
        }

        /// The same, for a model that was trained for `trained` tokens.
        func contextLength(trained: Int) throws(InferenceError) -> Int {
            guard let contextLength else { return max(1, min(trained, Self.defaultContextLength)) }
            guard (1...Self.largestContextLength).contains(contextLength) else {
                throw InferenceError(
                    .invalidArgument,
                    "a context length of \(contextLength) is not within 1…\(Self.largestContextLength)")
            }
            return contextLength
        }
    }
}

extension Model {
    /// The longest context that the model was trained for, as far as a session with it takes at most `byteCount` bytes; at least the
    /// standard one. On a device with memory of its own, the standard one.
    package func contextLength(within byteCount: Int, cacheType: KVCacheType) -> Int {
        let trained = configuration.contextLength
        let standard = max(1, min(trained, Session.Options.defaultContextLength))
        guard deviceLayers == nil, let transformer = try? transformer else { return standard }
        // The memory grows with the length.
        var (fits, tooLong) = (standard, trained + 1)
        while tooLong - fits > 1 {
            let length = fits + (tooLong - fits) / 2
            let isSmall = transformer.sequenceByteCount(capacity: length, cacheType: cacheType) <= byteCount
            if isSmall { fits = length } else { tooLong = length }
        }
        // A round number is easier to read.
        return fits == trained ? fits : max(standard, fits / 1024 * 1024)
    }
}

/// Runs the jobs of a model's sessions one after the other on a private queue.
final class InferenceExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "swiftinfer.inference", qos: .userInitiated)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
