// Drafting and verification: one step of the model adds several tokens to a sequence and changes no bit of the output.

package import InferGrammar
package import InferSupport
import InferTensors
package import InferTransformer

/// Extends a sequence step by step: propose rows, let the model compute them, consume the output token by token.
///
/// **The accept rule.** Row 0 of a step is the last token, row i + 1 node i of the draft tree. One token is drawn from row 0's
/// logits, exactly as plain decoding draws it: from these logits, the tokens before it, and u(seed, position). If a child of the
/// root has this token, it is accepted. Its row was computed after the same tokens as in plain decoding, so its logits are the
/// same to the bit. The next token is drawn from them, and so on downwards. The first token that no child has ends the step. It
/// is kept too, because it was drawn from a valid row. So the text is the sequence of plain decoding's draws for any draft.
///
/// Propose and consume are separate, so that one step can compute the rows of several sequences.
package struct Verification {
    /// The sequence that grows.
    package let sequence: TokenSequence
    /// Chooses the draft; nil for plain decoding.
    private let planner: DraftPlanner?
    private let sampler: Sampler
    /// What the grammar allows after the tokens of the answer; nil if anything is allowed.
    private var grammar: GrammarState?
    /// What changes the logits before a token is chosen.
    private let processors: LogitProcessors
    /// The tokens that may follow, when they have to be known.
    private var mask = TokenMask(tokenCount: 0)
    /// The wanted outputs of each row.
    package let request: LogitsRequest
    /// The number of tokens. Rows may have more logits, because vocabularies are padded.
    private let tokenCount: Int

    /// The draft of the running step, and the last accepted node.
    private var draft = Draft()
    private var node = DraftTree.root
    /// The tokens drawn from the running step's rows.
    private var drawn: [Int32] = []
    /// Whether the last token was a node of the draft.
    package private(set) var wasDrafted = false
    /// For each row, as many top tokens as the drafter wants.
    private var topTokens: [[TopToken]] = []
    /// The statistics of all drafts so far.
    package private(set) var statistics = DraftStatistics()
    /// The number of steps so far, without those of the prompt.
    package private(set) var steps = 0

    /// - Parameters:
    ///   - readsWholeRows: Whether the caller reads whole rows of logits in any case.
    ///   - grammar: What the grammar allows before the first token of the answer; nil if there is none.
    ///   - processors: What changes the logits before a token is chosen.
    package init(
        _ sequence: TokenSequence, planner: DraftPlanner?, sampler: Sampler, tokenCount: Int, readsWholeRows: Bool,
        grammar: GrammarState? = nil, processors: LogitProcessors = LogitProcessors()
    ) {
        (self.sequence, self.planner, self.sampler, self.tokenCount) = (sequence, planner, sampler, tokenCount)
        (self.grammar, self.processors) = (grammar, processors)
        let readsWholeRows = readsWholeRows || !processors.onlyMask
        let hostHasRows = readsWholeRows || sequence.state.model.device == nil
        let isRestricted = grammar != nil || !processors.isEmpty
        // The sums are those of all tokens; those of the allowed ones would be needed.
        let softmaxScale = hostHasRows || isRestricted ? nil : sampler.softmaxScale
        var wanted = softmaxScale == nil ? sampler.topTokensWanted : TopTokenBuffers.largestCount
        // The top tokens of other logits are of no use.
        if !processors.onlyMask { wanted = 0 }
        if isRestricted, wanted > 0 { wanted = min(wanted + Self.spareTopTokens, TopTokenBuffers.largestCount) }
        request = LogitsRequest(
            wholeRows: readsWholeRows || wanted == 0, topTokens: max(wanted, planner?.drafter.topTokensWanted ?? 0),
            softmaxScale: softmaxScale, tokenCount: tokenCount)
    }

    /// The number of further top tokens that are wanted where a grammar or processor may forbid some.
    private static let spareTopTokens = 15

    /// Whether the grammar allows no further token, or only one that ends the text.
    package var isGrammarFinished: Bool { grammar?.isFinished ?? false }

    /// What the nodes of a draft must follow.
    private var constraint: DraftConstraint {
        DraftConstraint(grammar: grammar, processors: processors, tokens: sequence.tokens)
    }

    /// Tells the drafter the text that the answer will follow.
    ///
    /// - Returns: The time that the drafter took.
    package func begin(_ prompt: [Int32]) -> Duration {
        guard let planner else { return .zero }
        let start = planner.retrievalDuration
        planner.reset(to: prompt)
        return planner.retrievalDuration - start
    }

    /// Takes the output of a prompt's chunk. From that of the last chunk the first token is drawn.
    ///
    /// - Parameter duration: The time of the step; nil if it had rows of other sequences.
    package mutating func consume(prompt chunk: ArraySlice<Int32>, _ output: SegmentOutput, took duration: Duration?) {
        sequence.add(prompt: chunk, output)
        if let duration { planner?.promptTook(duration, rows: chunk.count) }
        noteTopTokens(output)
    }

    /// Propose: the rows of the next step, which are the last token and the draft nodes that are worth their time, if this is the
    /// step's only sequence.
    package mutating func propose(_ bounds: DraftPlanner.Bounds, width: DraftWidth) -> Segment {
        draft = timed { [constraint] in $0.draft(bounds, width: width, constraint: constraint) } ?? Draft()
        return sequence.segment(draft.offered, request: request)
    }

    /// Propose, for a step of several sequences: the nodes that could be checked.
    ///
    /// - Parameter cost: The cost of such steps.
    package mutating func propose(
        _ bounds: DraftPlanner.Bounds, width: DraftWidth, cost: StepCost
    ) -> DraftProposal {
        timed { [constraint] in
            $0.cost = cost
            return $0.propose(bounds, width: width, constraint: constraint)
        } ?? DraftProposal()
    }

    /// The rows of the next step: the last token and the nodes of `proposal` that the step has selected.
    package mutating func segment(_ proposal: DraftProposal, _ share: DraftSelection.Share) -> Segment {
        draft = planner?.draft(proposal, share) ?? Draft()
        return sequence.segment(draft.offered, request: request)
    }

    /// Consume: takes the output of these rows. The logits after the last token are then available.
    ///
    /// - Parameter duration: The time of the step; nil if it had rows of other sequences.
    package mutating func consume(_ output: SegmentOutput, took duration: Duration?) {
        sequence.take(output)
        node = DraftTree.root
        if let duration { planner?.stepTook(duration, rows: draft.checked.count + 1) }
        noteTopTokens(output)
        steps += 1
        statistics.count(draft)
    }

    /// Accept: draws the next token from the current logits and adds it to the sequence. If the draft has a node for it, the logits
    /// after it become current; otherwise the step ends.
    ///
    /// - Parameters:
    ///   - forced: The token to take instead.
    ///   - inspect: Called with the token and the logits that it was drawn from.
    /// - Returns: The token; nil when none can be chosen.
    package mutating func next(
        forced: Int32? = nil, inspect: ((Int32, UnsafeBufferPointer<Float>) -> Void)? = nil
    ) throws(InferenceError) -> Int32? {
        guard let token = forced ?? draw() else { return nil }
        guard grammar?.accept(token) ?? true else {
            throw InferenceError(
                .invalidArgument,
                "the grammar is too ambiguous: after \(sequence.tokens.count) tokens there are too many readings")
        }
        // Logits of a device are not read without need.
        if let inspect { _ = sequence.withLogits { inspect(token, $0) } }
        let child = draft.offered.child(token, of: node)
        wasDrafted = child != nil
        sequence.append(token, next: child.map { $0 + 1 })
        drawn.append(token)
        if let child { node = child } else { try finish() }
        return token
    }

    /// Keep: ends the step. The accepted rows stay evaluated, the other rows are dropped, and the drafter learns the outcome of its
    /// draft.
    package mutating func finish() throws(InferenceError) {
        try sequence.keepDraftRows()
        if planner != nil, !drawn.isEmpty {
            let outcome = DraftOutcome(
                tree: draft.tree, checked: draft.checked, tokens: drawn, topTokenRows: topTokens)
            statistics.count(accepted: outcome.accepted.count)
            timed { $0.observe(outcome) }
        }
        draft = Draft()
        drawn.removeAll(keepingCapacity: true)
    }

    /// The token that the sampler chooses after the processors, among those that the grammar allows. In most cases a row's top tokens
    /// suffice.
    private mutating func draw() -> Int32? {
        let (position, history) = (sequence.tokens.count, sequence.tokens[...])
        if processors.onlyMask, let topTokens = sequence.topTokens {
            let choice = sampler.choose(
                among: allowed(topTokens), isComplete: topTokens.count < request.topTokens,
                sums: sequence.softmaxSums, position: position, history: history)
            switch choice {
            case .token(let token): return token
            case .none: return nil
            case .undecided: break
            }
        }
        grammar?.mask(into: &mask)
        return sequence.withLogits { logits in
            let eligible = UnsafeBufferPointer(rebasing: logits.prefix(tokenCount))
            guard grammar != nil || !processors.isEmpty else {
                return sampler.sample(eligible, position: position, history: history)
            }
            return changed(eligible).withUnsafeBufferPointer {
                sampler.sample($0, position: position, history: history)
            }
        }.flatMap { $0 }
    }

    /// The logits after the processors, and with −∞ for the tokens that ``mask`` lacks if there is a grammar.
    private func changed(_ logits: UnsafeBufferPointer<Float>) -> [Float] {
        guard !processors.isEmpty else { return mask.restricting(logits) }
        let row = processors.process(logits, after: sequence.tokens)
        return grammar == nil ? row : row.withUnsafeBufferPointer(mask.restricting)
    }

    /// The top tokens that grammar and processors allow. All other tokens that they allow have lower logits. If only the first one counts,
    /// only that one: to ask about each takes time.
    private func allowed(_ topTokens: [TopToken]) -> [TopToken] {
        guard grammar != nil || !processors.isEmpty else { return topTokens }
        let tokens = sequence.tokens
        func isAllowed(_ top: TopToken) -> Bool {
            grammar?.allows(top.token) ?? true && processors.allow(top.token, after: tokens)
        }
        guard sampler.takesLargest else { return topTokens.filter(isAllowed) }
        return topTokens.first(where: isAllowed).map { [$0] } ?? []
    }

    private mutating func noteTopTokens(_ output: SegmentOutput) {
        guard let wanted = planner?.drafter.topTokensWanted, wanted > 0 else { return }
        topTokens = output.topTokens.map { Array($0.prefix(wanted)) }
    }

    /// Counts the planner's time as the drafter's.
    private mutating func timed<R>(_ work: (DraftPlanner) -> R) -> R? {
        guard let planner else { return nil }
        let start = planner.retrievalDuration
        defer { statistics.retrievalDuration += planner.retrievalDuration - start }
        return work(planner)
    }
}

/// The statistics of a generation's drafts.
public struct DraftStatistics: Sendable, Hashable {
    /// The number of draft nodes that went through the model.
    public package(set) var drafted = 0
    /// The number of these nodes that were accepted.
    public package(set) var accepted = 0
    /// Time spent on finding drafts, choosing among their nodes and learning from the outcome; part of the decoding time.
    public package(set) var retrievalDuration = Duration.zero
    /// For each number of rows, including the last token's, the number of steps with drafts that had so many rows.
    public package(set) var widths: [Int: Int] = [:]

    /// The number of drafts whose first, second, … token was accepted.
    public package(set) var acceptedPerPosition: [Int] = []

    /// The statistics of no drafts.
    package init() {}

    /// Counts a step that checks `draft`.
    mutating func count(_ draft: Draft) {
        drafted += draft.checked.count
        if !draft.checked.isEmpty { widths[draft.checked.count + 1, default: 0] += 1 }
    }

    /// Adds the statistics of further drafts.
    package mutating func add(_ other: DraftStatistics) {
        drafted += other.drafted
        accepted += other.accepted
        retrievalDuration += other.retrievalDuration
        widths.merge(other.widths, uniquingKeysWith: +)
        acceptedPerPosition.add(other.acceptedPerPosition)
    }

    /// Counts the accepted nodes of a draft.
    mutating func count(accepted count: Int) {
        accepted += count
        acceptedPerPosition.add(Array(repeating: 1, count: count))
    }
}

extension [Int] {
    /// Adds the elements of `counts` to those at the same places.
    package mutating func add(_ counts: [Int]) {
        if self.count < counts.count { self += Array(repeating: 0, count: counts.count - self.count) }
        for (place, count) in counts.enumerated() { self[place] += count }
    }
}
