// The state of a generation between two events.

import InferDecoding
import InferGrammar
import InferSupport
import InferTokenizers
import InferTransformer

/// A running generation: first the prompt's chunks, then tokens and their text, until a limit ends it.
///
/// The caller asks for ``nextEvent(isCancelled:)``. If that returns nil, the caller sends the rows of ``propose()`` through the
/// model and passes the output to ``consume(_:took:)``. Nothing here suspends or calls the model. In a step of several sequences,
/// ``proposeDraft(cost:)`` and ``segment(_:_:)`` take the place of ``propose()``.
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
    private var indentation: IndentationMatcher
    private var loops: LoopDetector?
    /// Events that come before any other.
    private var events: [Generation.Event] = []
    /// The tokens of the running step, while the prompt is evaluated.
    private var chunk = 0..<0

    /// The number of tokens generated so far.
    var generatedTokens: Int { statistics.tokens.count }

    /// The time that the request waited.
    var queueDuration: Duration {
        get { statistics.queueDuration }
        set { statistics.queueDuration = newValue }
    }

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
            tokenCount: model.tokenizer.count,
            readsWholeRows: options.hashesLogits || options.topLogProbabilities != nil,
            grammar: options.grammar.map { GrammarState(model.grammars.constraint(for: $0)) },
            processors: options.processors)
        detokenizer = StreamingDetokenizer(
            model.tokenizer, includesControl: options.includesControlTokens)
        matcher = StopMatcher(options.stop)
        indentation = IndentationMatcher(minimum: options.minimumIndentation)
        loops = options.stopsLoops ? LoopDetector() : nil
    }

    /// The next event; nil if a step of the model has to come first. The event after `finished` is undefined.
    mutating func nextEvent(isCancelled: Bool) throws(InferenceError) -> Generation.Event? {
        while true {
            if !events.isEmpty { return events.removeFirst() }
            if case .end = phase { return .finished(statistics) }
            if isCancelled {
                try finish(.cancelled)
                continue
            }
            switch phase {
            case .begin: try begin()
            case .prompt: return nil
            case .answer:
                let start = ContinuousClock.now
                let tokens = statistics.tokens.count
                try extend()
                statistics.decodeDuration += ContinuousClock.now - start
                statistics.noteTokenTimes()
                if events.isEmpty, case .answer = phase, statistics.tokens.count == tokens { return nil }
            case .end: break
            }
        }
    }

    // MARK: Steps

    /// The rows of the next step, if this is its only sequence.
    mutating func propose() -> Segment {
        let start = ContinuousClock.now
        defer { addTime(since: start) }
        return promptSegment(rows: TransformerModel.stepRows)
            ?? verification.propose(draftBounds, width: options.draftWidth)
    }

    /// The number of prompt tokens to evaluate; 0 after the prompt.
    var promptRowsLeft: Int {
        if case .prompt(let next) = phase { return promptTokens.count - next }
        return 0
    }

    /// The rows of the next step: at most `rows` tokens of the prompt; nil after the prompt.
    mutating func promptSegment(rows: Int) -> Segment? {
        guard case .prompt(let next) = phase else { return nil }
        chunk = next..<min(next + rows, promptTokens.count)
        return sequence.segment(
            prompt: promptTokens[chunk],
            request: chunk.upperBound == promptTokens.count ? verification.request : nil)
    }

    /// The draft nodes that a step of several sequences could check.
    ///
    /// - Parameter cost: The cost of such steps.
    mutating func proposeDraft(cost: StepCost) -> DraftProposal {
        verification.propose(draftBounds, width: options.draftWidth, cost: cost)
    }

    /// The rows of the next step: the last token, and the draft nodes that the step has selected.
    mutating func segment(_ proposal: DraftProposal, _ share: DraftSelection.Share) -> Segment {
        verification.segment(proposal, share)
    }

    /// Takes the output of that step, which took `duration`.
    ///
    /// - Parameter isShared: Whether the step had rows of other sequences.
    mutating func consume(_ output: SegmentOutput, took duration: Duration, isShared: Bool = false) {
        let start = ContinuousClock.now - duration
        guard case .prompt = phase else {
            verification.consume(output, took: isShared ? nil : duration)
            return addTime(since: start)
        }
        verification.consume(prompt: promptTokens[chunk], output, took: isShared ? nil : duration)
        events.append(.progress(evaluated: chunk.upperBound, of: promptTokens.count))
        addTime(since: start)
        phase = chunk.upperBound == promptTokens.count ? .answer : .prompt(next: chunk.upperBound)
    }

    /// Adds the time since `start` to that of the current phase.
    private mutating func addTime(since start: ContinuousClock.Instant) {
        let duration = ContinuousClock.now - start
        if case .prompt = phase { statistics.promptDuration += duration } else { statistics.decodeDuration += duration }
    }

    private mutating func begin() throws(InferenceError) {
        let limit = sequence.capacity - options.reservedTokens(of: sequence.capacity)
        promptTokens = try model.tokens(for: prompt, limit: limit)
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
    private mutating func extend() throws(InferenceError) {
        if verification.isGrammarFinished { return try finish(.endOfText) }
        if let reason = limitReached { return try finish(reason) }
        guard sequence.hasLogits else { return }
        noteHash()
        var report: GeneratedToken?
        var inspect: ((TokenID, UnsafeBufferPointer<Float>) -> Void)?
        if let wanted = options.topLogProbabilities {
            let tokenizer = model.tokenizer
            inspect = { report = GeneratedToken($0, of: tokenizer, logits: $1, top: wanted) }
        }
        let token = try verification.next(
            forced: options.forcedTokens?[statistics.tokens.count], inspect: inspect)
        guard let token else {
            throw InferenceError(
                .malformedModel,
                "no token can be chosen: every logit is NaN, or forbidden by a bias, a processor or the grammar")
        }
        statistics.tokens.append(token)
        if options.reportsTokens {
            var report = report ?? GeneratedToken(token, of: model.tokenizer)
            report.isDrafted = verification.wasDrafted
            events.append(.token(report))
        }
        if model.tokenizer.isEndOfGeneration(token), options.forcedTokens == nil { return try finish(.endOfText) }
        show(matcher.append(detokenizer.append(token)))
        if matcher.isStopped { return try finish(.stopString) }
        if indentation.isStopped { return try finish(.indentation) }
        if loops?.append(token) == true { return try finish(.loop) }
        if let limit = options.timeLimitAfterNewline, indentation.hasNewline, statistics.decodeDuration >= limit {
            try finish(.timeLimit)
        }
    }

    /// Adds an event for `text`, as far as it is certain to be part of the answer.
    private mutating func show(_ text: String, isLast: Bool = false) {
        var text = indentation.append(text)
        if isLast { text += indentation.flush() }
        if !text.isEmpty { events.append(.text(text)) }
    }

    private mutating func noteHash() {
        guard options.hashesLogits, let row = sequence.withLogits({ LogitsHash.hash($0) }) else { return }
        hash.append(rowHash: row)
        statistics.rowHashes.append(row)
    }

    /// Ends the generation. The remaining text comes before the statistics.
    private mutating func finish(_ reason: FinishReason) throws(InferenceError) {
        try verification.finish()
        show(matcher.append(detokenizer.finish()) + matcher.flush(), isLast: true)
        statistics.finishReason = matcher.isStopped ? .stopString : reason
        statistics.stopString = matcher.match
        statistics.steps = verification.steps
        statistics.draft = verification.statistics
        if options.hashesLogits { statistics.logitsHash = hash.value }
        phase = .end
    }
}
