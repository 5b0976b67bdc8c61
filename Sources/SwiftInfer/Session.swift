// One conversation or document with a model.

import Dispatch
import InferDecoding
import InferGGUF
public import InferSupport
public import InferTensors
public import InferTokenizers
import InferTransformer

/// A sequence of tokens that a model extends.
///
/// A session runs one generation at a time; another one is refused as `busy` until the first has finished, thrown, or its
/// iterator is gone. Work happens on a thread of the model's, never on Swift's cooperative pool, and a step never suspends:
/// whenever the session is observed, ``tokens`` is what its memory holds. Sessions of one model take turns, step by step.
public actor Session {
    /// The model it runs.
    public nonisolated let model: Model
    /// Most tokens of prompt and answer together.
    public nonisolated let contextLength: Int

    let sequence: TokenSequence
    private var planner: DraftPlanner?
    /// The planner's name, if it is to be kept for later.
    private var plannerName: String?
    private var parked: [String: DraftPlanner] = [:]
    /// What is known of the cost of steps from drafters that are no longer in use.
    private var stepCost = StepCost(maximumRows: DraftPlanner.maximumRows)
    private weak var ticket: GenerationTicket?
    private var run: GenerationRun?

    init(_ model: Model, _ options: Options) throws(InferenceError) {
        let length = try options.contextLength(of: model)
        self.model = model
        contextLength = length
        sequence = TokenSequence(try model.transformer.makeSequence(capacity: length, cacheType: options.cacheType))
        planner = try Self.planner(options.drafter, model)
    }

    /// The model's own thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { model.executor.asUnownedSerialExecutor() }

    /// The accepted tokens: of the last prompt as far as it was evaluated, and of its answer.
    public var tokens: [TokenID] { sequence.tokens }

    /// Continues `prompt`. Nothing is done until the result is iterated over.
    public nonisolated func generate(_ prompt: Prompt, options: GenerationOptions = .init()) -> Generation {
        Generation(session: self, prompt: prompt, options: options)
    }

    /// Continues `prompt` and gives the whole answer. When the task is cancelled, that is the answer so far.
    ///
    /// - Throws: ``InferenceError``, as ``Generation/AsyncIterator/next(isolation:)`` does.
    public nonisolated func respond(
        to prompt: Prompt, options: GenerationOptions = .init()
    ) async throws(InferenceError) -> Response {
        try await generate(prompt, options: options).response()
    }

    /// Forgets all tokens from position `position` on.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` when there are fewer tokens, `busy` during a generation.
    public func rewind(to position: Int) throws(InferenceError) {
        try requireIdle()
        try sequence.rewind(to: position)
    }

    /// Uses `drafter` in later generations. It starts without anything learned; the measured step cost remains.
    ///
    /// - Throws: ``InferenceError`` with `busy` during a generation, or what making the drafter throws; the session's drafter
    ///   stays as it was then.
    public func use(_ drafter: DrafterChoice) throws(InferenceError) {
        try requireIdle()
        replacePlanner(by: try Self.planner(drafter, model))
    }

    /// Does as ``use(_:)`` does, but lets `drafter` go on with what it learned in this session when it was in use before, under
    /// the same name and left by this same function.
    package func resume(_ drafter: DrafterChoice) throws(InferenceError) {
        try requireIdle()
        let name = drafter.description
        guard name != plannerName else { return }
        var next = parked.removeValue(forKey: name)
        if next == nil { next = try Self.planner(drafter, model) }
        if let plannerName, let planner { parked[plannerName] = planner }
        replacePlanner(by: next)
        plannerName = name
    }

    private static func planner(_ choice: DrafterChoice, _ model: Model) throws(InferenceError) -> DraftPlanner? {
        let tokenizer = model.tokenizer
        return try choice.makeDrafter(for: model).map { drafter in
            DraftPlanner(drafter) { tokenizer.tokenClass(of: $0).rawValue }
        }
    }

    private func replacePlanner(by next: DraftPlanner?) {
        if let planner { stepCost = planner.cost }
        planner = next
        planner?.cost = stepCost
        plannerName = nil
    }

    /// What is known of the cost of steps: for each number of rows, from 1, the time over that of one row. Empty before a step
    /// with a drafter was taken.
    package var stepCostCurve: [Double] { (planner?.cost ?? stepCost).curve }

    /// Lends the logits that follow the last token, one per token of the vocabulary; nil when there are none, which is so
    /// before the first evaluation and, unless a draft foresaw it, once a further token is chosen.
    public func withLogits<R: Sendable, E: Error>(
        _ body: @Sendable (Span<Float>) throws(E) -> R
    ) throws(E) -> R? {
        let count = model.tokenizer.count
        let result: Result<R, E>? = sequence.withLogits { logits in
            let row = UnsafeBufferPointer(rebasing: logits.prefix(count))
            do throws(E) { return .success(try body(row.span)) } catch { return .failure(error) }
        }
        return try result?.get()
    }

    /// - Throws: ``InferenceError`` with `busy` while a generation has begun and not ended.
    func requireIdle() throws(InferenceError) {
        guard ticket == nil else {
            throw InferenceError(.busy, "the session is generating already; a session does one thing at a time")
        }
        run = nil
    }

    /// Does the work up to the next event of the generation that `ticket` stands for, beginning it when it is new.
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
            if let event = try run?.nextEvent() { return event }
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
    /// What a session keeps.
    public struct Options: Sendable {
        /// Most tokens of prompt and answer together; nil for what the model was trained for, at most 4096.
        public var contextLength: Int?
        /// How keys and values are stored.
        public var cacheType = KVCacheType.f16
        /// The drafter: by default CodeSwift over the git repository around the working directory, with what it learned there
        /// before; ``DrafterChoice/none`` for plain decoding.
        public var drafter = DrafterChoice.codeSwift()

        /// A session for `contextLength` tokens.
        public init(contextLength: Int? = nil, cacheType: KVCacheType = .f16, drafter: DrafterChoice = .codeSwift()) {
            self.contextLength = contextLength
            self.cacheType = cacheType
            self.drafter = drafter
        }

        /// Beyond this, sizes in bytes could overflow.
        private static let largestContextLength = 1 << 30
        private static let defaultContextLength = 4096

        /// The context length asked for, or the default one.
        ///
        /// - Throws: ``InferenceError`` with `invalidArgument` for one that is out of range.
        package func contextLength(of model: Model) throws(InferenceError) -> Int {
            try contextLength(trained: model.transformer.configuration.contextLength)
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

/// Runs the jobs of a model's sessions one after the other on a private queue.
final class InferenceExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "swiftinfer.inference", qos: .userInitiated)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
