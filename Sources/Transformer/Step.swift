// A step of the model over rows of one or several sequences.

package import InferSupport
package import InferTensors
import Synchronization

/// What is wanted of the logits of a segment's rows.
package struct LogitsRequest: Sendable {
    /// Whether whole rows will be read. They can be anyway, but then a device is waited for once more.
    package let wholeRows: Bool
    /// How many of each row's top tokens are wanted, at most ``TopTokenBuffers/largestCount``.
    package let topTokens: Int
    /// What logits are multiplied by in the ``SoftmaxSums`` that are wanted beside the top tokens; nil for none. The host computes
    /// none: there, whole rows are at hand.
    package let softmaxScale: Float?
    /// Tokens from this one on do not exist; nil where every logit stands for one.
    package let tokenCount: Int?

    /// By default whole rows and nothing else.
    package init(wholeRows: Bool = true, topTokens: Int = 0, softmaxScale: Float? = nil, tokenCount: Int? = nil) {
        self.wholeRows = wholeRows
        self.topTokens = min(max(topTokens, 0), TopTokenBuffers.largestCount)
        self.softmaxScale = softmaxScale
        self.tokenCount = tokenCount
    }
}

/// One sequence's rows in a step.
package struct Segment {
    /// The sequence.
    package let state: SequenceState
    /// One token per row.
    package let tokens: [Int32]
    /// For a draft tree, the row of the segment that each row follows (less than its own), −1 for the tokens so far; nil for a
    /// chain.
    package let parents: [Int32]?
    /// The rows whose logits are wanted.
    package let outputs: [Int]
    /// What of their logits.
    package let request: LogitsRequest
    /// The first rows that are a chain and become part of the past in any case; the others do by ``SequenceState/keep(rows:)``.
    package let certainRows: Int

    /// The rows of `state` in a step. By default those of a chain are all certain, and none of a tree.
    package init(
        _ state: SequenceState, _ tokens: [Int32], parents: [Int32]? = nil, outputs: [Int],
        request: LogitsRequest = LogitsRequest(), certainRows: Int? = nil
    ) {
        self.state = state
        self.tokens = tokens
        self.parents = parents
        self.outputs = outputs
        self.request = request
        self.certainRows = min(max(0, certainRows ?? (parents == nil ? tokens.count : 0)), tokens.count)
    }

    var layout: SegmentLayout {
        if let parents {
            SegmentLayout(parents: parents, after: state.count)
        } else {
            SegmentLayout(chain: tokens.count, after: state.count)
        }
    }

    /// - Throws: `contextFull` or `invalidArgument` for a segment that cannot be computed.
    func check(_ model: TransformerModel) throws(InferenceError) {
        guard state.model === model else {
            throw InferenceError(.invalidArgument, "a step has a sequence of another model")
        }
        guard !tokens.isEmpty else { throw InferenceError(.invalidArgument, "a step has at least one token") }
        guard tokens.count <= state.capacity - state.count else {
            throw InferenceError(
                .contextFull,
                "\(tokens.count) tokens do not fit: \(state.count) of the context's \(state.capacity) are taken")
        }
        let vocabulary = Int32(clamping: model.configuration.vocabularySize)
        if let token = tokens.first(where: { !(0..<vocabulary).contains($0) }) {
            throw InferenceError(.invalidArgument, "token \(token) is outside the vocabulary of \(vocabulary)")
        }
        if let parents {
            let isTree = parents.enumerated().allSatisfy { (-1..<Int32($0)).contains($1) }
            guard parents.count == tokens.count, isTree else {
                throw InferenceError(.invalidArgument, "the parents of a step's rows must be earlier rows, or -1")
            }
            guard (0..<certainRows).allSatisfy({ parents[$0] == Int32($0) - 1 }) else {
                throw InferenceError(.invalidArgument, "the certain rows of a step must be a chain")
            }
        }
        guard outputs.allSatisfy(tokens.indices.contains) else {
            throw InferenceError(.invalidArgument, "logits are wanted of a row that the step does not have")
        }
    }
}

/// What came out for the outputs of one segment, in their order.
package struct SegmentOutput: Sendable {
    /// The top tokens of each row, largest logit first: as many as were asked for, fewer only where there are no more. Empty when
    /// none were asked for.
    package let topTokens: [[TopToken]]
    /// The softmax's sums of each row. Empty when none were asked for, on the host, and for a segment that wants another scale than
    /// the first of its step.
    package let softmaxSums: [SoftmaxSums]
    /// Number of rows.
    package let count: Int
    fileprivate let logits: LogitsBuffer?
    fileprivate let firstRow: Int

    /// Lends the logits of row `row`: one per token of the vocabulary.
    package func withLogits<R>(row: Int, _ body: (UnsafeBufferPointer<Float>) -> R) -> R {
        withLogits { logits in
            let width = logits.count / max(count, 1)
            return body(UnsafeBufferPointer(rebasing: logits[row * width..<(row + 1) * width]))
        }
    }

    /// Lends the logits of all rows: ``count`` × vocabularySize, row-major.
    package func withLogits<R>(_ body: (UnsafeBufferPointer<Float>) -> R) -> R {
        guard let logits, count > 0 else { return body(UnsafeBufferPointer(start: nil, count: 0)) }
        let width = logits.activations.columns
        return logits.backend.read(logits.activations, rows: firstRow + count) {
            body(UnsafeBufferPointer(rebasing: $0[firstRow * width..<(firstRow + count) * width]))
        }
    }
}

/// Rows of logits that belong to whoever holds the outputs of a step. They return to the pool when nobody does.
final class LogitsBuffer: Sendable {
    let activations: Activations
    let backend: any Backend
    private let pool: LogitsPool

    fileprivate init(_ activations: Activations, on backend: any Backend, of pool: LogitsPool) {
        self.activations = activations
        self.backend = backend
        self.pool = pool
    }

    deinit { pool.put(activations) }
}

/// Logits buffers that no output holds.
final class LogitsPool: Sendable {
    private let free = Mutex<[Activations]>([])
    private let columns: Int

    init(columns: Int) { self.columns = columns }

    /// Room for `rows` rows. Drafts grow row by row, and new memory has to be touched first: so there is room for twice as many as
    /// before, up to those of the largest draft.
    func take(rows: Int, on backend: any Backend) throws(InferenceError) -> LogitsBuffer {
        let (fitting, largest) = free.withLock { free -> (Activations?, Int) in
            let largest = free.reduce(0) { max($0, $1.rows) }
            guard let index = free.lastIndex(where: { $0.rows >= rows }) else {
                free.removeAll()
                return (nil, largest)
            }
            return (free.remove(at: index), largest)
        }
        let roomy = max(rows, min(2 * largest, DeviceDemand.outputRows))
        if let fitting { return LogitsBuffer(fitting, on: backend, of: self) }
        return LogitsBuffer(try backend.makeActivations(rows: roomy, columns: columns), on: backend, of: self)
    }

    fileprivate func put(_ activations: Activations) {
        free.withLock { free in
            if free.count < Self.most { free.append(activations) }
        }
    }

    /// Steps come one at a time, so that more free buffers are of no use; one more serves a step beside a long one.
    private static let most = 2
}

/// What the steps of all sequences compute in. It grows with the largest step.
struct StepMemory {
    /// One per stage.
    private(set) var workspaces: [Workspace] = []
    /// By the number of top tokens.
    private var searches: [Int: TopTokenBuffers] = [:]

    /// Makes room for steps of `rows` rows.
    mutating func reserve(rows: Int, _ model: TransformerModel) throws(InferenceError) {
        guard (workspaces.first?.rows ?? 0) < rows else { return }
        // The old one goes first: a device may not have room for both.
        workspaces = []
        workspaces = try model.stages.map { stage throws(InferenceError) in
            try Workspace(model.workspaceShape, on: stage.backend, rows: rows)
        }
    }

    /// Where the `count` top tokens of `rows` rows go.
    mutating func search(_ count: Int, rows: Int, _ model: TransformerModel) throws(InferenceError) -> TopTokenBuffers {
        if let search = searches[count], search.rows >= rows { return search }
        let roomy = max(rows, min(2 * (searches[count]?.rows ?? 0), DeviceDemand.outputRows))
        let search = try TopTokenBuffers(
            count, rows: roomy, columns: model.configuration.vocabularySize, on: model.backend)
        searches[count] = search
        return search
    }
}

extension TransformerModel {
    /// A new, empty sequence of up to `capacity` tokens.
    ///
    /// - Throws: `outOfMemory`, or `invalidArgument` for a cache type that does not fit the model's heads.
    package func makeSequence(capacity: Int, cacheType: KVCacheType) throws(InferenceError) -> SequenceState {
        guard position_embd == nil || capacity <= configuration.contextLength else {
            throw InferenceError(
                .invalidArgument,
                "a context of \(capacity) tokens is too long: the model has learned \(configuration.contextLength) positions"
            )
        }
        let state = try SequenceState(self, capacity: capacity, cacheType: cacheType)
        // A step should not be the first to find that there is no memory.
        try stepMemory.withLock { memory throws(InferenceError) in
            try memory.reserve(rows: min(capacity, Self.stepRows), self)
        }
        return state
    }

    /// Rows of a step that there is always room for: the tokens of a prompt that are best evaluated at once.
    package static var stepRows: Int { 512 }

    /// Sends one sequence's rows through the model.
    ///
    /// - Throws: See ``evaluate(_:)-([Segment])``.
    @discardableResult
    package func evaluate(_ segment: Segment) throws(InferenceError) -> SegmentOutput {
        try evaluate([segment])[0]
    }

    /// Sends the rows of all segments, each of another sequence, through the model in one step. The bits of a segment's output do
    /// not depend on the other segments.
    ///
    /// - Returns: One output per segment.
    /// - Throws: `contextFull` or `invalidArgument`; nothing has changed then. A device may also fail, which is as if the step
    ///   had not been.
    package func evaluate(_ segments: [Segment]) throws(InferenceError) -> [SegmentOutput] {
        for segment in segments { try segment.check(self) }
        guard !segments.isEmpty else { return [] }
        guard Set(segments.map { ObjectIdentifier($0.state) }).count == segments.count else {
            throw InferenceError(.invalidArgument, "a sequence has two segments in one step")
        }
        let tokenCounts = Set(segments.lazy.filter { !$0.outputs.isEmpty }.map(\.request.tokenCount))
        guard tokenCounts.count <= 1 else {
            throw InferenceError(.invalidArgument, "the segments of a step differ in the number of tokens that exist")
        }
        return try stepMemory.withLock { memory throws(InferenceError) in try step(segments, &memory) }
    }

    private func step(_ segments: [Segment], _ memory: inout StepMemory) throws(InferenceError) -> [SegmentOutput] {
        let layouts = segments.map(\.layout)
        let rows = layouts.reduce(0) { $0 + $1.count }
        try memory.reserve(rows: rows, self)
        var outputs: [Int] = []
        var firstRow = 0
        for (segment, layout) in zip(segments, layouts) {
            outputs += segment.outputs.map { firstRow + $0 }
            firstRow += layout.count
            try segment.state.beginStep(layout, certainRows: segment.certainRows)
        }
        let logits = outputs.isEmpty ? nil : try logitsPool.take(rows: outputs.count, on: backend)
        let topTokens = segments.reduce(0) { $1.outputs.isEmpty ? $0 : max($0, $1.request.topTokens) }
        let search = topTokens > 0 ? try memory.search(topTokens, rows: outputs.count, self) : nil
        let scale =
            device == nil ? nil : segments.lazy.filter { !$0.outputs.isEmpty }.compactMap(\.request.softmaxScale).first
        let requested = segments.first { !$0.outputs.isEmpty }?.request.tokenCount
        let tokenCount = min(requested ?? .max, configuration.vocabularySize)

        var pass = ForwardPass(self, segments, layouts, in: memory.workspaces)
        try pass(outputs: outputs, logits: logits?.activations, maxima: search?.maxima)
        var results: [Activations] = []
        if let logits {
            if segments.contains(where: { $0.request.wholeRows && !$0.outputs.isEmpty }) {
                results.append(logits.activations)
            }
            if let search {
                backend.findTopTokens(
                    logits.activations, rows: outputs.count, of: tokenCount, hasMaxima: !configuration.changesLogits,
                    into: search)
                results.append(search.keys)
                if let scale {
                    device?.sumSoftmax(
                        logits.activations, rows: outputs.count, of: tokenCount, scale: scale, into: search)
                    results.append(search.sums)
                }
            }
        }
        if results.isEmpty {
            for stage in stages { try stage.backend.finish(reading: [], rows: 0) }
        } else {
            try backend.finish(reading: results, rows: outputs.count)
        }

        let found = search?.read(rows: outputs.count, from: backend) ?? []
        let sums =
            scale == nil ? [] : search?.readSums(rows: outputs.count, tokenCount: tokenCount, from: backend) ?? []
        var firstOutput = 0
        return zip(segments, layouts).map { segment, layout in
            segment.state.endStep(layout, certainRows: segment.certainRows)
            let range = firstOutput..<firstOutput + segment.outputs.count
            firstOutput = range.upperBound
            let request = segment.request
            let wanted = request.topTokens
            return SegmentOutput(
                topTokens: wanted == 0 || found.isEmpty ? [] : found[range].map { Array($0.prefix(wanted)) },
                softmaxSums: sums.isEmpty || request.softmaxScale != scale ? [] : Array(sums[range]),
                count: range.count, logits: logits, firstRow: range.lowerBound)
        }
    }

    /// Sends one sequence's rows through all blocks. Returns the states of the segment's outputs, which the output matrix would read:
    /// outputs × embeddingLength, row-major.
    ///
    /// - Throws: See ``evaluate(_:)-([Segment])``.
    package func states(of segment: Segment) throws(InferenceError) -> [Float] {
        try segment.check(self)
        return try stepMemory.withLock { memory throws(InferenceError) in
            let layout = segment.layout
            try memory.reserve(rows: layout.count, self)
            try segment.state.beginStep(layout, certainRows: segment.certainRows)
            var pass = ForwardPass(self, [segment], [layout], in: memory.workspaces)
            try pass.runBlocks()
            let states = try pass.states(of: segment.outputs)
            try backend.finish(reading: [states], rows: segment.outputs.count)
            segment.state.endStep(layout, certainRows: segment.certainRows)
            return backend.read(states, rows: segment.outputs.count) { Array($0) }
        }
    }

    /// Memory that a sequence of that size takes, in bytes, without what all sequences share.
    package func sequenceByteCount(capacity: Int, cacheType: KVCacheType) -> Int {
        memoryGroups.reduce(0) { $0 + $1.byteCount(slots: capacity, type: cacheType) }
    }

    /// Memory, in bytes, that steps have taken so far to compute in, without logits.
    package var workspaceByteCount: Int {
        stepMemory.withLock { memory in
            memory.workspaces.reduce(0) { sum, workspace in
                sum + workspaceShape.activations(rows: workspace.rows).reduce(0) { $0 + 4 * $1.rows * $1.columns }
            }
        }
    }

    /// The processor's memory of weights, in bytes, without what stays in the mapped file; and the memory of devices with memory of their
    /// own, in bytes, of whatever kind.
    package var backendByteCounts: (weights: Int, device: Int) {
        let backends = [backend] + stages.map(\.backend)
        var counted: Set<ObjectIdentifier> = []
        var counts = (weights: 0, device: 0)
        for backend in backends where counted.insert(ObjectIdentifier(backend)).inserted {
            if let device = backend as? any DeviceBackend {
                counts.device += device.allocatedByteCount
            } else {
                counts.weights += (backend as? CPUBackend)?.weightByteCount ?? 0
            }
        }
        return counts
    }

    /// Memory, in bytes, that steps of up to `rows` rows will take beyond what earlier ones did, for all sequences together and with
    /// the logits of one row.
    package func workspaceByteCount(rows: Int) -> Int {
        if stepMemory.withLock({ $0.workspaces.first?.rows ?? 0 }) >= rows { return 0 }
        let work = workspaceShape.activations(rows: rows)
        return stages.count * work.reduce(0) { $0 + 4 * $1.rows * $1.columns } + 4 * configuration.vocabularySize
    }
}
