// The state of a generation between two events.

import InferDecoding
import InferSupport
import InferTensors
import InferTokenizers
import InferTransformer

/// A generation under way. Each call of ``advance(_:_:)`` does the work up to the next event, without suspending.
struct GenerationRun {
    private enum Phase {
        /// Nothing is done yet.
        case begin
        /// The prompt's tokens from `next` on are to be evaluated.
        case prompt(next: Int)
        /// The prompt is evaluated.
        case answer
        /// The final account is to be handed over.
        case end
    }

    private let prompt: Prompt
    private let options: GenerationOptions
    private var phase = Phase.begin
    private var promptTokens: [TokenID] = []
    private var sampler: Sampler
    private var detokenizer: StreamingDetokenizer
    private var matcher: StopMatcher
    private var hash = LogitsHash()
    private var statistics = Statistics()
    private let planner: DraftPlanner?
    /// The draft of the running step, and the tokens chosen from its logits so far.
    private var draft = Draft()
    private var stepTokens: [TokenID] = []
    private var candidateRows: [[Verification.Candidate]] = []
    /// The planner's time when the generation began.
    private var retrievalStart = Duration.zero

    /// Tokens that the context around a gap leaves to an answer whose length nobody has limited.
    private static let answerReserve = 512

    /// Logits rows are longer than this where the vocabulary is padded; the rest stands for no token.
    private let tokenCount: Int
    /// What every choice, and the drafter, takes of the logits.
    private let use: LogitsUse

    /// - Throws: ``InferenceError`` with `invalidArgument` for senseless options.
    init(
        _ prompt: Prompt, _ options: GenerationOptions, model: Model, planner: DraftPlanner?
    ) throws(InferenceError) {
        try options.validate()
        self.prompt = prompt
        self.options = options
        self.planner = options.usesDrafter ? planner : nil
        var sampling = options.sampling
        if options.ignoresEndOfText {
            for token in model.tokenizer.endOfGeneration { sampling.logitBias[token] = -.infinity }
        }
        sampler = Sampler(sampling)
        detokenizer = StreamingDetokenizer(model.tokenizer)
        matcher = StopMatcher(options.stop)
        tokenCount = model.tokenizer.count
        let readsRowsAnyway = options.hashesLogits || model.transformer.device == nil
        let softmaxScale = readsRowsAnyway ? nil : sampler.softmaxScale
        let wanted = softmaxScale == nil ? sampler.likeliestWanted : LikeliestTokens.largestCount
        use = LogitsUse(
            wholeRows: options.hashesLogits || wanted == 0,
            likeliest: max(wanted, self.planner?.drafter.candidatesWanted ?? 0), softmaxScale: softmaxScale,
            tokenCount: tokenCount)
    }

    /// Does the work up to the next event. The event after a `finished` is undefined.
    mutating func advance(_ timeline: Timeline, _ model: Model) throws(InferenceError) -> Generation.Event {
        while true {
            if case .end = phase { return .finished(statistics) }
            if Task.isCancelled {
                if let event = try finish(.cancelled, timeline) { return event }
                continue
            }
            let start = ContinuousClock.now
            switch phase {
            case .begin:
                try begin(timeline, model)
            case .prompt(let next):
                let event = try evaluatePrompt(from: next, timeline)
                statistics.promptDuration += ContinuousClock.now - start
                return event
            case .answer:
                let event = try extend(timeline, model.tokenizer)
                statistics.decodeDuration += ContinuousClock.now - start
                statistics.noteTokenTimes()
                if let event { return event }
            case .end:
                break
            }
        }
    }

    private mutating func begin(_ timeline: Timeline, _ model: Model) throws(InferenceError) {
        let reserve = min(options.maximumTokens ?? Self.answerReserve, timeline.capacity / 4)
        promptTokens = try model.tokens(for: prompt, limit: timeline.capacity - reserve)
        guard promptTokens.count <= timeline.capacity else {
            throw InferenceError(
                .contextFull,
                "the prompt has \(promptTokens.count) tokens, but the context holds only \(timeline.capacity)")
        }
        statistics.promptTokens = promptTokens.count
        statistics.reusedTokens = try timeline.keepCommonPrefix(with: promptTokens)
        if let planner {
            let start = planner.retrievalDuration
            planner.reset(to: promptTokens)
            retrievalStart = planner.retrievalDuration
            statistics.promptDuration += retrievalStart - start
        }
        phase = .prompt(next: statistics.reusedTokens)
    }

    private mutating func evaluatePrompt(
        from next: Int, _ timeline: Timeline
    ) throws(InferenceError) -> Generation.Event {
        let end = min(next + timeline.maximumRows, promptTokens.count)
        let isLast = end == promptTokens.count
        let start = ContinuousClock.now
        try timeline.evaluate(promptTokens[next..<end], use: isLast ? use : nil)
        planner?.promptTook(ContinuousClock.now - start, rows: end - next)
        if isLast { noteCandidates(timeline) }
        phase = isLast ? .answer : .prompt(next: end)
        return .progress(evaluated: end, of: promptTokens.count)
    }

    /// The limit that leaves no room for a further token.
    private func limitReached(_ timeline: Timeline) -> FinishReason? {
        if [options.maximumTokens, options.forcedTokens?.count].contains(statistics.tokens.count) { return .length }
        return timeline.isFull ? .contextFull : nil
    }

    /// Chooses a further token, unless a limit is reached.
    private mutating func extend(
        _ timeline: Timeline, _ tokenizer: Tokenizer
    ) throws(InferenceError) -> Generation.Event? {
        if let reason = limitReached(timeline) { return try finish(reason, timeline) }
        if !timeline.hasLogits { try step(timeline) }
        noteHash(timeline)
        guard let token = options.forcedTokens?[statistics.tokens.count] ?? choose(timeline) else {
            throw InferenceError(.malformedModel, "no token can be chosen: every logit is NaN, or forbidden by a bias")
        }
        try timeline.append(token)
        statistics.tokens.append(token)
        stepTokens.append(token)
        if tokenizer.isEndOfGeneration(token), options.forcedTokens == nil { return try finish(.endOfText, timeline) }
        let text = matcher.append(detokenizer.append(token))
        if matcher.isStopped { return try finish(.stopString, timeline, after: text) }
        if !timeline.hasLogits { endStep() }
        return text.isEmpty ? nil : .text(text)
    }

    private mutating func noteHash(_ timeline: Timeline) {
        guard options.hashesLogits, let row = timeline.withLogits({ LogitsHash.hash($0) }) else { return }
        hash.append(rowHash: row)
        statistics.rowHashes.append(row)
    }

    /// The token that the logits and the options choose; nil when there is none.
    private func choose(_ timeline: Timeline) -> TokenID? {
        let position = timeline.tokens.count
        if let candidates = timeline.candidates {
            let isComplete = candidates.count < use.likeliest
            let choice = sampler.choose(
                among: candidates, isComplete: isComplete, sums: timeline.softmaxSums, position: position,
                history: timeline.tokens[...])
            switch choice {
            case .token(let token): return token
            case .none: return nil
            case .undecided: break
            }
        }
        return timeline.withLogits { logits in
            let eligible = UnsafeBufferPointer(rebasing: logits.prefix(tokenCount))
            return sampler.sample(eligible, position: position, history: timeline.tokens[...])
        }.flatMap { $0 }
    }

    /// Sends the last token through the model, with a draft if there is one that pays.
    private mutating func step(_ timeline: Timeline) throws(InferenceError) {
        draft = nextDraft(timeline)
        let start = ContinuousClock.now
        try timeline.evaluateLast(draft.offered, use: use)
        statistics.count(checked: draft.checked.count)
        noteCandidates(timeline)
        // The candidates are part of what each further row costs.
        planner?.stepTook(ContinuousClock.now - start, rows: draft.checked.count + 1)
    }

    /// The guesses for the next step that the context and the limits have room for.
    private func nextDraft(_ timeline: Timeline) -> Draft {
        guard let planner else { return Draft() }
        let room = timeline.capacity - timeline.tokens.count
        let limit = options.maximumTokens ?? options.forcedTokens?.count
        let remaining = limit.map { $0 - statistics.tokens.count } ?? room
        return planner.draft(
            DraftPlanner.Bounds(
                nodes: min(room, DraftPlanner.maximumRows - 1, timeline.maximumRows - 1),
                // After the last token to be chosen nothing is.
                depth: min(room, remaining) - 1, tokenCount: tokenCount),
            width: options.draftWidth)
    }

    private mutating func noteCandidates(_ timeline: Timeline) {
        guard let planner, planner.drafter.candidatesWanted > 0 else { return }
        candidateRows = planner.candidates(timeline.stepCandidates)
    }

    /// Tells the drafter what became of the running step.
    private mutating func endStep() {
        guard let planner, !stepTokens.isEmpty else { return }
        let verification = Verification(
            tree: draft.tree, checked: draft.checked, tokens: stepTokens, candidateRows: candidateRows)
        statistics.draft.accepted += verification.accepted.count
        planner.observe(verification)
        statistics.draft.retrievalDuration = planner.retrievalDuration - retrievalStart
        draft = Draft()
        stepTokens.removeAll(keepingCapacity: true)
    }

    /// Ends the generation. Text that remains comes before the final account.
    private mutating func finish(
        _ reason: FinishReason, _ timeline: Timeline, after text: String = ""
    ) throws(InferenceError) -> Generation.Event? {
        try timeline.settle()
        endStep()
        let text = text + matcher.append(detokenizer.finish()) + matcher.flush()
        statistics.finishReason = matcher.isStopped ? .stopString : reason
        if options.hashesLogits { statistics.logitsHash = hash.value }
        phase = .end
        return text.isEmpty ? nil : .text(text)
    }
}
