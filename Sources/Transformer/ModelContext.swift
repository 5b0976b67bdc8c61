// One timeline of tokens going through a model.

package import InferSupport
package import InferTensors

/// The mutable half of inference: the key–value cache of one sequence of tokens and the buffers to extend it.
///
/// Not thread-safe; whoever makes it owns it.
package final class ModelContext {
    /// The model it runs.
    package let model: TransformerModel
    /// Tokens the cache can hold, those of the running step included.
    package let capacity: Int
    /// Most rows of one step.
    package let maximumRows: Int
    /// Tokens that have gone through the model and count: the past of the next step.
    package private(set) var count = 0

    /// Where the model's blocks are computed, in order; the outputs are where the first ones are.
    private let sites: [Site]
    private let rotary: RotaryEmbedding?
    private let localRotary: RotaryEmbedding?
    private var logits: Activations?
    private var logitRows = 0
    private var likeliestTokens: LikeliestTokens?
    /// The likeliest tokens of each of the last step's `outputs`, likeliest first: as many as were asked for, fewer only where
    /// there are no more. Empty when none were asked for.
    package private(set) var likeliest: [[Candidate]] = []
    /// The softmax's sums of each of these rows. Empty when none were asked for, and on the host.
    package private(set) var softmaxSums: [SoftmaxSums] = []
    /// The last step, while its rows may still be accepted.
    private var pending: StepLayout?

    init(
        _ model: TransformerModel, capacity: Int, cacheType: KVCacheType, maximumRows: Int
    ) throws(InferenceError) {
        guard capacity > 0, maximumRows > 0 else {
            throw InferenceError(.invalidArgument, "a context needs room for at least one token")
        }
        self.model = model
        self.capacity = capacity
        let rows = min(capacity, maximumRows)
        self.maximumRows = rows
        sites = try model.stages.map { stage throws(InferenceError) in
            try Site(stage, of: model, slots: capacity, cacheType: cacheType, rows: rows)
        }
        rotary = model.rotaryEmbedding(windowed: false, capacity: capacity)
        localRotary = model.rotaryEmbedding(windowed: true, capacity: capacity)
    }

    /// Sends `tokens` through the model in one step.
    ///
    /// - Parameters:
    ///   - parents: for a draft tree, the row each row follows (less than its own), −1 for the tokens so far; nil for a chain.
    ///   - outputs: the rows whose logits are wanted, see ``withLogits(_:)``.
    ///   - use: what of these logits, see ``likeliest``.
    ///   - commit: whether the tokens become part of the past at once. Trees never do: see ``accept(rows:)``.
    /// - Throws: `contextFull` or `invalidArgument`; nothing has changed then. A device may also fail, which is as if the step
    ///   had not been.
    package func evaluate(
        _ tokens: [Int32], parents: [Int32]? = nil, outputs: [Int], use: LogitsUse = LogitsUse(),
        commit: Bool = true
    ) throws(InferenceError) {
        try check(tokens, parents, outputs)
        let layout =
            if let parents { StepLayout(parents: parents, after: count) } else {
                StepLayout(chain: tokens.count, after: count)
            }
        if (logits?.rows ?? 0) < outputs.count {
            let rows = roomyRows(outputs.count, over: logits?.rows)
            logits = try model.backend.makeActivations(rows: rows, columns: model.configuration.vocabularySize)
        }
        let search = try reserveLikeliest(use, rows: outputs.count)
        writeRotations(layout)
        pending = nil
        logitRows = 0
        likeliest = []
        softmaxSums = []
        var pass = ForwardPass(model, layout, at: sites)
        let tokenCount = min(use.tokenCount ?? .max, model.configuration.vocabularySize)
        let softmax = use.softmaxScale.flatMap { scale in model.device.map { ($0, scale) } }
        if let logits, !outputs.isEmpty {
            try pass(tokens, outputs: outputs, logits: logits, maxima: search?.maxima)
            var results: [Activations] = use.wholeRows ? [logits] : []
            if let search {
                model.backend.findLikeliest(
                    logits, rows: outputs.count, of: tokenCount, hasMaxima: !model.configuration.changesLogits,
                    into: search)
                results.append(search.keys)
                if let (device, scale) = softmax {
                    device.sumSoftmax(logits, rows: outputs.count, of: tokenCount, scale: scale, into: search)
                    results.append(search.sums)
                }
            }
            try model.backend.finish(reading: results, rows: outputs.count)
        } else {
            try pass(tokens, outputs: [], logits: nil)
            for site in sites { try site.backend.finish(reading: [], rows: 0) }
        }
        logitRows = outputs.count
        if let search {
            likeliest = search.read(rows: outputs.count, from: model.backend)
            if softmax != nil {
                softmaxSums = search.readSums(rows: outputs.count, tokenCount: tokenCount, from: model.backend)
            }
        }
        if commit && parents == nil {
            count += tokens.count
            pending = nil
        } else {
            pending = layout
        }
    }

    /// Makes the path `rows` of the last, uncommitted step part of the past and drops its other rows. `rows` lead from a row
    /// that follows the committed tokens downwards, each the parent of the next; an empty path drops the whole step.
    package func accept(rows: [Int]) throws(InferenceError) {
        guard let layout = pending else {
            throw InferenceError(.invalidArgument, "there is no step to accept rows of")
        }
        guard let last = rows.last else {
            pending = nil
            return
        }
        guard (0..<layout.count).contains(last), layout.path(to: last) == rows else {
            throw InferenceError(.invalidArgument, "rows \(rows) are not a path of the step's tree")
        }
        let moves = rows.enumerated().filter { $0.offset != $0.element }
            .map { (from: layout.committed + $0.element, to: layout.committed + $0.offset) }
        if !moves.isEmpty { for site in sites { site.backend.moveSlots(moves, in: site.cache) } }
        count += rows.count
        pending = nil
    }

    /// Forgets all tokens from position `position` on.
    package func rewind(to position: Int) throws(InferenceError) {
        guard (0...count).contains(position) else {
            throw InferenceError(.invalidArgument, "cannot rewind to \(position): there are \(count) tokens")
        }
        count = position
        pending = nil
    }

    /// For how many rows to make room where there is some for `last` and `rows` are needed: drafts grow row by row, and each time new
    /// memory has to be touched first.
    private func roomyRows(_ rows: Int, over last: Int?) -> Int {
        max(rows, min(2 * (last ?? 0), DeviceDemand.outputRows))
    }

    /// Where the likeliest tokens of `rows` rows go; nil when none are wanted.
    private func reserveLikeliest(_ use: LogitsUse, rows: Int) throws(InferenceError) -> LikeliestTokens? {
        guard use.likeliest > 0, rows > 0 else { return nil }
        if let likeliestTokens, likeliestTokens.count == use.likeliest, likeliestTokens.rows >= rows {
            return likeliestTokens
        }
        likeliestTokens = try LikeliestTokens(
            use.likeliest, rows: roomyRows(rows, over: likeliestTokens?.rows),
            columns: model.configuration.vocabularySize, on: model.backend)
        return likeliestTokens
    }

    /// Lends the logits of the last step's `outputs`, in that order: outputs × vocabularySize, row-major.
    package func withLogits<R>(_ body: (UnsafeBufferPointer<Float>) -> R) -> R {
        guard let logits, logitRows > 0 else { return body(UnsafeBufferPointer(start: nil, count: 0)) }
        return model.backend.read(logits, rows: logitRows, body)
    }

    private func check(_ tokens: [Int32], _ parents: [Int32]?, _ outputs: [Int]) throws(InferenceError) {
        guard !tokens.isEmpty, tokens.count <= maximumRows else {
            throw InferenceError(.invalidArgument, "a step has 1…\(maximumRows) tokens, not \(tokens.count)")
        }
        guard tokens.count <= capacity - count else {
            throw InferenceError(
                .contextFull, "\(tokens.count) tokens do not fit: \(count) of the context's \(capacity) are taken")
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
        }
        guard outputs.allSatisfy(tokens.indices.contains) else {
            throw InferenceError(.invalidArgument, "logits are wanted of a row that the step does not have")
        }
    }

    private func writeRotations(_ layout: StepLayout) {
        let positions = (0..<layout.count).map(layout.position)
        let (rotations, localRotations) = (rotary?.rotations(at: positions), localRotary?.rotations(at: positions))
        let factors = model.configuration.attentionTemperature.map { positions.map($0.factor) }
        for site in sites {
            let targets = site.workspace
            for (values, target) in [
                (rotations, targets.rotation), (localRotations, targets.localRotation), (factors, targets.temperature),
            ] {
                if let values, let target { site.backend.write(values, to: target) }
            }
        }
    }
}

extension TransformerModel {
    /// A fresh context for up to `capacity` tokens.
    package func makeContext(
        capacity: Int, cacheType: KVCacheType, maximumRows: Int = 512
    ) throws(InferenceError) -> ModelContext {
        try ModelContext(self, capacity: capacity, cacheType: cacheType, maximumRows: maximumRows)
    }

    /// Memory that such a context takes, with the logits of one row, in bytes.
    package func contextByteCount(capacity: Int, cacheType: KVCacheType, maximumRows: Int = 512) -> Int {
        let c = configuration
        let shape = KVCacheShape(
            layers: c.blockCount, heads: c.headCountKV, keyDimension: c.keyLength, valueDimension: c.valueLength,
            slots: capacity, type: cacheType)
        let work = Workspace.shapes(
            c, expertInner: expertFeedForwardLength, rows: min(capacity, maximumRows))
        return shape.byteCount + stages.count * work.reduce(0) { $0 + 4 * $1.rows * $1.columns } + 4 * c.vocabularySize
    }
}
