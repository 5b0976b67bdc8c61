// The scheduler's loop: which sequences and rows go into each step.

import InferDecoding
import InferSupport
import InferTensors
import InferTokenizers
import InferTransformer

/// Owns the sequences and runs the steps, on a thread of its own. It runs while there are requests.
actor StepLoop {
    /// A sequence, and the request that it serves.
    private struct Slot {
        let sequence: TokenSequence
        /// The owner of the sequence's tokens.
        var owner = ""
        var running: Running?
        /// The number of the last request.
        var lastUse = 0
    }

    /// A request that has a sequence.
    private struct Running {
        var run: GenerationRun
        let request: WaitingRequest
        let planner: DraftPlanner?
        /// Increases from request to request.
        let number: Int
    }

    private let model: Model
    private let options: Scheduler.Options
    private let contextLength: Int
    private let inbox: Inbox
    private let executor = InferenceExecutor()

    private var slots: [Slot]
    /// The maximum number of ``slots``. It shrinks if there is no memory for so many.
    private var slotLimit: Int
    private var waiting: [WaitingRequest] = []
    private var parked: PrefixCache
    /// Drafters that no running request uses; the one that was used last comes last.
    private var idlePlanners: [(key: PlannerKey, planner: DraftPlanner)] = []
    private var lastNumber = 0
    /// The number of tokens generated so far.
    private var generatedTokens = 0
    /// The cost of steps without rows of prompts.
    private var cost = StepCost(maximumRows: maximumRows)
    /// Seconds per row of a prompt; nil before the first one.
    private var promptRowTime: Double?

    private struct PlannerKey: Equatable {
        let owner: String, drafter: String
    }

    /// The maximum number of rows of a step, without those of prompts. More rows do not make a row cheaper.
    private static let maximumRows = 128
    /// The time of a step's prompt rows, as a share of the time of its other rows. Together they should take at most twice the
    /// time.
    private static let promptShare = 0.8
    /// The minimum number of tokens that are worth a copy of their state.
    private static let copiedTokens = 16
    /// The maximum number of idle drafters per sequence: those of several owners, or of several kinds. Each takes some megabytes.
    private static let idlePlannersPerSequence = 4
    /// If so many more tokens of a prompt are about to be computed for another request, the request waits for them.
    private static let awaitedTokens = 128

    init(
        _ model: Model, _ options: Scheduler.Options, contextLength: Int, inbox: Inbox
    ) throws(InferenceError) {
        (self.model, self.options, self.contextLength, self.inbox) = (model, options, contextLength, inbox)
        parked = PrefixCache(byteLimit: options.parkedByteLimit)
        let state = try model.transformer.makeSequence(capacity: contextLength, cacheType: options.cacheType)
        slots = [Slot(sequence: TokenSequence(state))]
        slotLimit = options.sequences
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Runs until there are no requests.
    func run() {
        while let new = inbox.take(stillWaiting: waiting.count, isIdle: waiting.isEmpty && !isAnyRunning) {
            waiting += new
            dropCancelled()
            admit()
            step()
        }
    }

    /// Frees all sequences and what is parked. Nothing is running or waiting.
    func clear() {
        slots = []
        slotLimit = 0
        parked = PrefixCache(byteLimit: options.parkedByteLimit)
        idlePlanners = []
        inbox.update(stillWaiting: 0) { describe(&$0) }
    }

    private var isAnyRunning: Bool { slots.contains { $0.running != nil } }
    private var hasFreeSlot: Bool { slots.contains { $0.running == nil } }

    // MARK: Admission

    private func dropCancelled() {
        let isStopped = inbox.isStopped
        if isStopped { for slot in slots { slot.running?.request.ticket.cancel() } }
        let cancelled = waiting.filter { isStopped || $0.ticket.isCancelled }
        guard !cancelled.isEmpty else { return }
        waiting.removeAll { isStopped || $0.ticket.isCancelled }
        // Clients see the end after the figures, so that there is room for their next requests.
        inbox.update(stillWaiting: waiting.count, ended: cancelled.count) { _ in }
        for request in cancelled {
            var statistics = Statistics()
            statistics.promptTokens = request.tokens.count
            statistics.queueDuration = ContinuousClock.now - request.ticket.start
            request.ticket.end(statistics)
        }
    }

    /// Gives free sequences to waiting requests.
    private func admit() {
        while !waiting.isEmpty, hasFreeSlot || slots.count < slotLimit, let index = nextRequest() {
            guard hasFreeSlot || addSlot() else { return }
            start(waiting.remove(at: index))
        }
    }

    /// The request whose turn it is: the oldest one of the owner with the fewest running requests. Requests that wait for what
    /// others are computing are passed over.
    private func nextRequest() -> Int? {
        var running: [String: Int] = [:]
        for slot in slots { if let request = slot.running?.request { running[request.owner, default: 0] += 1 } }
        let ready = waiting.indices.filter { !isWorthWaiting(waiting[$0]) }
        return ready.min { running[waiting[$0].owner, default: 0] < running[waiting[$1].owner, default: 0] }
    }

    /// Whether another request is computing much of this request's prompt at the moment.
    private func isWorthWaiting(_ request: WaitingRequest) -> Bool {
        guard request.reusesPrefix else { return false }
        let planned =
            slots.compactMap { slot -> Int? in
                guard let running = slot.running, running.run.promptRowsLeft > 0, slot.owner == request.owner else {
                    return nil
                }
                return common(running.request.tokens, request.tokens)
            }.max() ?? 0
        guard planned >= Self.awaitedTokens else { return false }
        return planned - (bestSource(for: request)?.count ?? 0) >= Self.awaitedTokens
    }

    private func common(_ tokens: [TokenID], _ prompt: [TokenID]) -> Int {
        zip(tokens, prompt.dropLast()).prefix { $0 == $1 }.count
    }

    /// Where the beginning of a prompt is computed already.
    private enum Source {
        case slot(Int, count: Int)
        case parked(PrefixCache.Match)

        var count: Int {
            switch self {
            case .slot(_, let count): count
            case .parked(let match): match.count
            }
        }
    }

    private func bestSource(for request: WaitingRequest) -> Source? {
        guard request.reusesPrefix else { return nil }
        var sources = slots.indices.filter { slots[$0].owner == request.owner }.map { index in
            Source.slot(index, count: slots[index].sequence.reusablePrefix(of: request.tokens))
        }
        if let match = parked.longestMatch(request.tokens, owner: request.owner) { sources.append(.parked(match)) }
        // The first one of several: a sequence that can be used as it is rather than a copy.
        let best = sources.max { ($0.count, rank($1)) < ($1.count, rank($0)) }
        return best.flatMap { $0.count > 0 ? $0 : nil }
    }

    private func rank(_ source: Source) -> Int {
        if case .slot(let index, _) = source { slots[index].running == nil ? 0 : 1 } else { 2 }
    }

    /// Gives a sequence to `request`, with as much of the prompt's state as is known.
    private func start(_ request: WaitingRequest) {
        do throws(InferenceError) {
            let source = bestSource(for: request)
            let index = try slot(for: request, source)
            lastNumber += 1
            slots[index].owner = request.owner
            slots[index].lastUse = lastNumber
            let planner = try planner(for: request)
            var run = try GenerationRun(
                .tokens(request.tokens), request.options, slots[index].sequence, model: model, planner: planner)
            run.queueDuration = ContinuousClock.now - request.ticket.start
            slots[index].running = Running(run: run, request: request, planner: planner, number: lastNumber)
            advance(index)
        } catch {
            inbox.update(stillWaiting: waiting.count, ended: 1) { describe(&$0) }
            request.ticket.fail(error)
        }
    }

    /// A free sequence for `request`, which begins with the tokens of `source`.
    private func slot(for request: WaitingRequest, _ source: Source?) throws(InferenceError) -> Int {
        if case .slot(let index, let count) = source, slots[index].running == nil,
            2 * count >= slots[index].sequence.tokens.count
        {
            return index
        }
        // The snapshot comes first: the sequence that is cleared may be its source.
        var snapshot: SequenceSnapshot?
        switch source {
        case .slot(let index, let count) where count >= Self.copiedTokens:
            snapshot = try? slots[index].sequence.snapshot(of: count)
        case .parked(let match) where match.count >= Self.copiedTokens:
            parked.touch(match)
            snapshot = match.snapshot
        default: break
        }
        let index = try freeSlot()
        try clear(index)
        if let snapshot {
            slots[index].sequence.restore(snapshot, of: Array(request.tokens.prefix(source?.count ?? 0)))
        }
        return index
    }

    /// Allocates another sequence.
    ///
    /// - Returns: Whether there was room for it.
    private func addSlot() -> Bool {
        guard slots.count < slotLimit else { return false }
        do throws(InferenceError) {
            let state = try model.transformer.makeSequence(capacity: contextLength, cacheType: options.cacheType)
            slots.append(Slot(sequence: TokenSequence(state)))
            return true
        } catch {
            slotLimit = slots.count
            return false
        }
    }

    /// An empty free sequence, otherwise a new one, otherwise the free one whose last request is the oldest.
    private func freeSlot() throws(InferenceError) -> Int {
        let free = slots.indices.filter { slots[$0].running == nil }
        if let empty = free.first(where: { slots[$0].sequence.tokens.isEmpty }) { return empty }
        if addSlot() { return slots.count - 1 }
        guard let oldest = free.min(by: { slots[$0].lastUse < slots[$1].lastUse }) else {
            throw InferenceError(.outOfMemory, "there is no memory for another sequence")
        }
        return oldest
    }

    /// Parks what a free sequence holds, and empties it.
    private func clear(_ index: Int) throws(InferenceError) {
        let slot = slots[index]
        let count = slot.sequence.evaluatedCount
        let bytes = try model.transformer.sequenceByteCount(capacity: count, cacheType: options.cacheType)
        if count >= Self.copiedTokens, bytes <= options.parkedByteLimit,
            let snapshot = try? slot.sequence.snapshot(of: count)
        {
            parked.insert(snapshot, of: slot.sequence.tokens, owner: slot.owner)
        }
        try slot.sequence.rewind(to: 0)
    }

    private func planner(for request: WaitingRequest) throws(InferenceError) -> DraftPlanner? {
        guard request.options.usesDrafter else { return nil }
        let key = PlannerKey(owner: request.owner, drafter: request.drafter.description)
        if let known = idlePlanners.lastIndex(where: { $0.key == key }) {
            return idlePlanners.remove(at: known).planner
        }
        return try request.drafter.makePlanner(for: model)
    }

    // MARK: Steps

    /// One step with rows of all running requests.
    private func step() {
        let running = slots.indices.filter { slots[$0].running != nil }
        guard !running.isEmpty else { return }
        let answering = running.filter { slots[$0].running?.run.promptRowsLeft == 0 }
        let prompting = running.filter { !answering.contains($0) }

        // Which rows.
        let proposals = answering.map { slots[$0].running?.run.proposeDraft(cost: cost) ?? DraftProposal() }
        let selection = DraftSelection(proposals, cost: cost)
        var members: [(slot: Int, segment: Segment)] = []
        for (position, index) in answering.enumerated() {
            guard let segment = slots[index].running?.run.segment(proposals[position], selection.shares[position])
            else { continue }
            members.append((index, segment))
        }
        let answerRows = members.reduce(0) { $0 + $1.segment.tokens.count }
        for (index, rows) in promptRows(prompting, beside: answerRows) {
            guard let segment = slots[index].running?.run.promptSegment(rows: rows) else { continue }
            members.append((index, segment))
        }
        let rows = members.reduce(0) { $0 + $1.segment.tokens.count }

        // The model.
        let start = ContinuousClock.now
        let outputs: [SegmentOutput]
        do throws(InferenceError) {
            outputs = try model.transformer.evaluate(members.map(\.segment))
        } catch {
            for (index, _) in members { end(index, error) }
            return
        }
        let duration = ContinuousClock.now - start
        learn(duration / .seconds(1), answerRows: answerRows, promptRows: rows - answerRows)
        count(members.count, rows: rows, promptRows: rows - answerRows, seconds: duration / .seconds(1))

        // What came out.
        for ((index, _), output) in zip(members, outputs) {
            slots[index].running?.run.consume(output, took: duration, isShared: members.count > 1)
            advance(index)
        }
    }

    /// The number of rows of each prompt in a step.
    ///
    /// Without answers a step is as long as is best for the model. Beside answers it may take some longer. The oldest prompt gets
    /// half of the rows, so that it does not wait for ever; the others are for the prompts that need the fewest.
    private func promptRows(_ prompting: [Int], beside answerRows: Int) -> [(slot: Int, rows: Int)] {
        let left = prompting.map { (slot: $0, rows: slots[$0].running?.run.promptRowsLeft ?? 0) }
        guard let oldest = left.min(by: { number($0.slot) < number($1.slot) }) else { return [] }
        var budget = TransformerModel.stepRows
        if answerRows > 0 {
            // The cost of answers alone must be known first.
            guard cost.isKnown else { return [] }
            let answerTime = cost.seconds(rows: answerRows)
            let rowTime = promptRowTime ?? 0.15 * cost.seconds(rows: 1)
            // Should both times be zero, max(1, NaN) is 1.
            budget = Int(min(max(1, Self.promptShare * answerTime / rowTime), Double(budget)))
        }
        var shares: [Int: Int] = [oldest.slot: min(oldest.rows, max(1, budget / 2))]
        budget -= shares[oldest.slot] ?? 0
        for (slot, rows) in left.sorted(by: { $0.rows < $1.rows }) where slot != oldest.slot && budget > 0 {
            shares[slot] = min(rows, budget)
            budget -= shares[slot] ?? 0
        }
        shares[oldest.slot] = min(oldest.rows, (shares[oldest.slot] ?? 0) + budget)
        return left.compactMap { slot, _ in shares[slot].map { (slot, $0) } }
    }

    private func number(_ slot: Int) -> Int { slots[slot].running?.number ?? 0 }

    /// Learns the time of rows from that of a step.
    private func learn(_ seconds: Double, answerRows: Int, promptRows: Int) {
        if promptRows == 0 { return cost.observe(rows: answerRows, seconds: seconds) }
        if answerRows == 0 { cost.observePrompt(rows: promptRows, seconds: seconds) }
        // Short chunks alone are dominated by reading the weights.
        guard answerRows > 0 || promptRows >= 64 else { return }
        let answerTime = answerRows > 0 ? cost.seconds(rows: answerRows) : 0
        // A step can take less than was expected of its answers alone. Its prompt rows still have a cost.
        let least = seconds / Double(4 * (answerRows + promptRows))
        let rowTime = max(least, (seconds - answerTime) / Double(promptRows))
        promptRowTime = promptRowTime.map { $0 + 0.2 * (min(rowTime, 4 * $0) - $0) } ?? rowTime
    }

    /// Sends all events of a request that need no step. Ends it after the last one.
    private func advance(_ index: Int) {
        guard let running = slots[index].running else { return }
        let (ticket, before) = (running.request.ticket, running.run.generatedTokens)
        defer { generatedTokens += (slots[index].running?.run.generatedTokens ?? before) - before }
        do throws(InferenceError) {
            while let event = try slots[index].running?.run.nextEvent(isCancelled: ticket.isCancelled) {
                guard case .finished(let statistics) = event else {
                    ticket.send(event)
                    continue
                }
                generatedTokens += statistics.tokens.count - before
                return finish(index, statistics)
            }
        } catch {
            end(index, error)
        }
    }

    /// Ends a request that has generated its answer.
    private func finish(_ index: Int, _ statistics: Statistics) {
        guard let running = slots[index].running else { return }
        slots[index].running = nil
        if let planner = running.planner {
            let key = PlannerKey(owner: running.request.owner, drafter: running.request.drafter.description)
            idlePlanners.append((key, planner))
            // What the longest unused one learned is forgotten, so that many owners do not take ever more memory.
            if idlePlanners.count > Self.idlePlannersPerSequence * options.sequences { idlePlanners.removeFirst() }
        }
        inbox.update(stillWaiting: waiting.count, ended: 1) { status in
            status.reusedTokens += statistics.reusedTokens
            status.drafts += statistics.draft.widths.values.reduce(0, +)
            status.draftedTokens += statistics.draft.drafted
            status.acceptedTokens += statistics.draft.accepted
            status.acceptedPerPosition.add(statistics.draft.acceptedPerPosition)
            describe(&status)
        }
        running.request.ticket.end(statistics)
    }

    /// Ends a request by an error. What its sequence holds may not be what its tokens say.
    private func end(_ index: Int, _ error: InferenceError) {
        let ticket = slots[index].running?.request.ticket
        slots[index].running = nil
        try? slots[index].sequence.rewind(to: 0)
        inbox.update(stillWaiting: waiting.count, ended: 1) { describe(&$0) }
        ticket?.fail(error)
    }

    // MARK: Figures

    private func count(_ sequences: Int, rows: Int, promptRows: Int, seconds: Double) {
        inbox.update(stillWaiting: waiting.count) { status in
            status.steps += 1
            status.rows += rows
            status.lastRows = rows
            status.sequencesInSteps += sequences
            status.promptTokens += promptRows
            if promptRows > 0 { status.promptSeconds += seconds }
            if promptRows < rows { status.generationSeconds += seconds }
            describe(&status)
        }
    }

    private func describe(_ status: inout Scheduler.Status) {
        status.parkedBytes = parked.byteCount
        status.parkedSequences = parked.count
        status.generatedTokens = generatedTokens
        status.sequences = slots.enumerated().map { index, slot in
            var sequence = Scheduler.Status.Sequence()
            sequence.id = index
            sequence.isProcessing = slot.running != nil
            sequence.tokenCount = slot.sequence.tokens.count
            sequence.promptTokens = slot.running?.request.tokens.count ?? 0
            sequence.generatedTokens = slot.running?.run.generatedTokens ?? 0
            return sequence
        }
    }
}
