// The state of a generation between two events.

import InferDecoding
import InferSupport
import InferTokenizers
import InferTransformer

/// A running generation: first the prompt's chunks, then tokens and their text, until a limit ends it.
///
/// The caller asks for ``nextEvent()``. If that returns nil, the caller sends the rows of ``propose()`` through the model and
/// passes the output to ``consume(_:took:)``. Nothing here suspends or calls the model.
struct GenerationRun {
    private enum Phase {
        /// Nothing has been done yet.
        case begin
        /// The prompt's tokens from `next` on are to be evaluated.
        case prompt(next: Int)
        /// The prompt is evaluated.
        case answer
        /// The generation has ended. The statistics are the next event.
        case end
    }

    private let prompt: Prompt
    private let options: GenerationOptions
    private let model: Model
    private let sequence: TokenSequence
    private var verification: Verification
    private var phase = Phase.begin
    private var promptTokens: [TokenID] = []
    private var detokenizer: StreamingDetokenizer
    private var matcher: StopMatcher
    private var hash = LogitsHash()
    private var statistics = Statistics()
    /// The number of evaluated prompt tokens, until it is reported; nil afterwards.
    private var progress: Int?

    /// Tokens reserved for the answer when `maximumTokens` is nil.
    private static let answerReserve = 512

    /// - Throws: ``InferenceError`` with `invalidArgument` for invalid options.
    init(
        _ prompt: Prompt, _ options: GenerationOptions, _ sequence: TokenSequence, model: Model,
        planner: DraftPlanner?
    ) throws(InferenceError) {
        try options.validate()
        (self.prompt, self.options, self.sequence, self.model) = (prompt, options, sequence, model)
        var sampling = options.sampling
        if options.ignoresEndOfText {
            for token in model.tokenizer.endOfGeneration { sampling.logitBias[token] = -.infinity }
        }
        verification = Verification(
            sequence, planner: options.usesDrafter ? planner : nil, sampler: Sampler(sampling),
            tokenCount: model.tokenizer.count, readsWholeRows: options.hashesLogits)
        detokenizer = StreamingDetokenizer(
            model.tokenizer, includesControl: options.includesControlTokens)
        matcher = StopMatcher(options.stop)
    }

    /// The next event; nil if a step of the model has to come first. The event after `finished` is undefined.
    mutating func nextEvent() throws(InferenceError) -> Generation.Event? {
        if let evaluated = progress {
            progress = nil
            return .progress(evaluated: evaluated, of: promptTokens.count)
        }
        while true {
            if case .end = phase { return .finished(statistics) }
            if Task.isCancelled {
                if let event = try finish(.cancelled) { return event }
                continue
            }
            switch phase {
            case .begin: try begin()
            case .prompt: return nil
            case .answer:
                let start = ContinuousClock.now
                let tokens = statistics.tokens.count
                let event = try extend()
                statistics.decodeDuration += ContinuousClock.now - start
                statistics.noteTokenTimes()
                if let event { return event }
                if case .answer = phase, statistics.tokens.count == tokens { return nil }
            case .end: break
            }
        }
    }

    /// The rows of the next step.
    mutating func propose() -> Segment {
        let start = ContinuousClock.now
        defer { addTime(since: start) }
        if case .prompt(let next) = phase {
            let end = chunkEnd(from: next)
            return sequence.segment(
                prompt: promptTokens[next..<end], request: end == promptTokens.count ? verification.request : nil)
        }
        return verification.propose(draftBounds, width: options.draftWidth)
    }

    /// Takes the output of that step, which took `duration`.
    mutating func consume(_ output: SegmentOutput, took duration: Duration) {
        let start = ContinuousClock.now - duration
        guard case .prompt(let next) = phase else {
            verification.consume(output, took: duration)
            addTime(since: start)
            return
        }
        let end = chunkEnd(from: next)
        verification.consume(prompt: promptTokens[next..<end], output, took: duration)
        progress = end
        addTime(since: start)
        phase = end == promptTokens.count ? .answer : .prompt(next: end)
    }

    /// Adds the time since `start` to that of the current phase.
    private mutating func addTime(since start: ContinuousClock.Instant) {
        let duration = ContinuousClock.now - start
        if case .prompt = phase { statistics.promptDuration += duration } else { statistics.decodeDuration += duration }
    }

    private mutating func begin() throws(InferenceError) {
        let reserve = min(options.maximumTokens ?? Self.answerReserve, sequence.capacity / 4)
        promptTokens = try model.tokens(for: prompt, limit: sequence.capacity - reserve)
        guard promptTokens.count <= sequence.capacity else {
            throw InferenceError(
                .contextFull,
                "the prompt has \(promptTokens.count) tokens, but the context holds only \(sequence.capacity)")
        }
        statistics.promptTokens = promptTokens.count
        statistics.reusedTokens = try sequence.keepCommonPrefix(with: promptTokens)
        statistics.promptDuration += verification.begin(promptTokens)
        phase = .prompt(next: statistics.reusedTokens)
    }

    private func chunkEnd(from next: Int) -> Int { min(next + TransformerModel.stepRows, promptTokens.count) }

    /// The limit that is reached; nil for none.
    private var limitReached: FinishReason? {
        if [options.maximumTokens, options.forcedTokens?.count].contains(statistics.tokens.count) { return .length }
        return sequence.isFull ? .contextFull : nil
    }

    /// The bounds of the next draft by the context and the limits.
    private var draftBounds: DraftPlanner.Bounds {
        let room = sequence.capacity - sequence.tokens.count
        let limit = options.maximumTokens ?? options.forcedTokens?.count
        let remaining = limit.map { $0 - statistics.tokens.count } ?? room
        return DraftPlanner.Bounds(
            nodes: min(room, DraftPlanner.maximumRows - 1),
            // No draft is needed after the final token.
            depth: min(room, remaining) - 1, tokenCount: model.tokenizer.count)
    }

    /// Adds the next token, if its logits are available and no limit is reached.
    private mutating func extend() throws(InferenceError) -> Generation.Event? {
        if let reason = limitReached { return try finish(reason) }
        guard sequence.hasLogits else { return nil }
        noteHash()
        guard let token = try verification.next(forced: options.forcedTokens?[statistics.tokens.count]) else {
            throw InferenceError(.malformedModel, "no token can be chosen: every logit is NaN, or forbidden by a bias")
        }
        statistics.tokens.append(token)
        if model.tokenizer.isEndOfGeneration(token), options.forcedTokens == nil { return try finish(.endOfText) }
        let text = matcher.append(detokenizer.append(token))
        if matcher.isStopped { return try finish(.stopString, after: text) }
        return text.isEmpty ? nil : .text(text)
    }

    private mutating func noteHash() {
        guard options.hashesLogits, let row = sequence.withLogits({ LogitsHash.hash($0) }) else { return }
        hash.append(rowHash: row)
        statistics.rowHashes.append(row)
    }

    /// Ends the generation. Returns the remaining text, which comes before the statistics.
    private mutating func finish(
        _ reason: FinishReason, after text: String = ""
    ) throws(InferenceError) -> Generation.Event? {
        try verification.finish()
        let text = text + matcher.append(detokenizer.finish()) + matcher.flush()
        statistics.finishReason = matcher.isStopped ? .stopString : reason
        statistics.steps = verification.steps
        statistics.draft = verification.statistics
        if options.hashesLogits { statistics.logitsHash = hash.value }
        phase = .end
        return text.isEmpty ? nil : .text(text)
    }
}
