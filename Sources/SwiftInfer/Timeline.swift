// A session's tokens together with the keys and values computed for them.

import InferDecoding
import InferSupport
import InferTensors
import InferTokenizers
import InferTransformer

/// One sequence of tokens and its context. Both change together: ``tokens`` always says what the context holds, and an error
/// leaves them as they were.
final class Timeline {
    private let context: ModelContext
    /// The way through a step whose rows are not part of the context yet: the last token's and a draft's.
    private var walk: DraftWalk?
    /// The row of the context's logits that follows the last token; nil when there is none.
    private var logitsRow: Int?
    /// The tokens so far. All of them are evaluated but, at most, a tail: the token chosen last, or tokens restored from a
    /// file.
    private(set) var tokens: [TokenID] = []

    /// An empty timeline over `context`.
    init(_ context: ModelContext) { self.context = context }

    /// Most tokens it can hold.
    var capacity: Int { context.capacity }
    /// Most tokens that one step evaluates.
    var maximumRows: Int { context.maximumRows }
    /// How many of ``tokens`` are evaluated and settled.
    var evaluatedCount: Int { context.count }
    /// Whether the context has the logits that follow the last token.
    var hasLogits: Bool { logitsRow != nil }
    /// Whether there is room for a further token.
    var isFull: Bool { tokens.count >= capacity }

    /// Keeps of the evaluated tokens what `prompt` begins with, but not its last token, whose logits are needed, and forgets
    /// the rest.
    ///
    /// - Returns: The number of tokens kept.
    func keepCommonPrefix(with prompt: [TokenID]) throws(InferenceError) -> Int {
        try settle()
        let limit = min(evaluatedCount, prompt.count - 1)
        let common = zip(tokens, prompt).prefix(limit).prefix { $0 == $1 }.count
        try rewind(to: common)
        return common
    }

    /// Forgets all tokens from position `position` on.
    func rewind(to position: Int) throws(InferenceError) {
        guard (0...tokens.count).contains(position) else {
            throw InferenceError(
                .invalidArgument, "cannot rewind to position \(position): the session holds \(tokens.count) tokens")
        }
        try settle()
        if position == tokens.count { return }
        if position < evaluatedCount { try context.rewind(to: position) }
        tokens.removeLast(tokens.count - position)
        logitsRow = nil
    }

    /// Evaluates `chunk` after the tokens so far, which are all evaluated, and adds it to them.
    ///
    /// - Parameter use: What is wanted of the last token's logits; nil for nothing.
    func evaluate(_ chunk: ArraySlice<TokenID>, use: LogitsUse?) throws(InferenceError) {
        if let use {
            try context.evaluate(Array(chunk), outputs: [chunk.count - 1], use: use)
        } else {
            try context.evaluate(Array(chunk), outputs: [])
        }
        tokens += chunk
        logitsRow = use == nil ? nil : 0
    }

    /// Evaluates the token chosen last, and with it the nodes of `draft`. They join the tokens as far as those that are
    /// appended later are theirs.
    func evaluateLast(_ draft: DraftTree, use: LogitsUse) throws(InferenceError) {
        let tail = Array(tokens[evaluatedCount...])
        if draft.isEmpty {
            try context.evaluate(tail, outputs: [tail.count - 1], use: use)
        } else {
            // Row 0 is the last token, row i + 1 node i, whose parent's row is likewise one further.
            try context.evaluate(
                tail + draft.tokens, parents: [-1] + draft.parents.map { $0 + 1 },
                outputs: Array(0...draft.count), use: use, commit: false)
            walk = DraftWalk(draft)
        }
        logitsRow = 0
    }

    /// Adds a token. Its logits are there if it was drafted.
    func append(_ token: TokenID) throws(InferenceError) {
        tokens.append(token)
        logitsRow = walk?.follow(token)
        if logitsRow == nil { try settle() }
    }

    /// Ends a step with a draft: what was appended of it stays evaluated, the rest is dropped. The last token's logits are
    /// gone then, and it is not evaluated if it was chosen since the step: just as without a draft.
    func settle() throws(InferenceError) {
        guard let rows = walk?.rows else { return }
        walk = nil
        // The row of a token that was chosen last is not kept, so that drafting leaves no trace.
        let isChosen = logitsRow != nil && rows.count > 1
        if isChosen { logitsRow = nil }
        try context.accept(rows: isChosen ? rows.dropLast() : rows)
    }

    /// The likeliest tokens after the last step's rows, as many as were wanted: after the last token, then after the draft's
    /// nodes.
    var stepCandidates: [[Candidate]] { context.likeliest }

    /// The likeliest tokens after the last one; nil when they are not known.
    var candidates: [Candidate]? {
        guard let logitsRow, context.likeliest.indices.contains(logitsRow) else { return nil }
        return context.likeliest[logitsRow]
    }

    /// The softmax's sums of the logits after the last token; nil when they are not known.
    var softmaxSums: SoftmaxSums? {
        guard let logitsRow, context.softmaxSums.indices.contains(logitsRow) else { return nil }
        return context.softmaxSums[logitsRow]
    }

    /// Replaces everything by tokens that are yet to be evaluated.
    func replace(with tokens: [TokenID]) throws(InferenceError) {
        try rewind(to: 0)
        self.tokens = tokens
    }

    /// Lends the logits that follow the last token.
    func withLogits<R>(_ body: (UnsafeBufferPointer<Float>) -> R) -> R? {
        logitsRow.map { row in
            context.withLogits { logits in
                let width = context.model.configuration.vocabularySize
                return body(UnsafeBufferPointer(rebasing: logits[row * width..<(row + 1) * width]))
            }
        }
    }
}
