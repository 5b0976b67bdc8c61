// The tokens of a sequence, together with the state computed for them.

package import InferSupport
package import InferTensors
package import InferTransformer

/// The tokens of one conversation or document, and the state computed for them. Both change together: ``tokens`` always says what
/// the state holds, and an error leaves them as they were.
package final class TokenSequence {
    /// The state of the model's layers.
    package let state: SequenceState
    /// The tokens so far. All of them are evaluated except, at most, a tail: the token chosen last, or tokens restored from a file.
    package private(set) var tokens: [Int32] = []
    /// The output of the last step, and the row of it that belongs to the last token; nil if there is none.
    private var output: SegmentOutput?
    private var row: Int?
    /// The rows of a draft step whose tokens are part of ``tokens``, until these rows are kept; nil without a draft.
    private var draftRows: [Int]?

    /// An empty sequence over `state`.
    package init(_ state: SequenceState) { self.state = state }

    /// The maximum number of tokens.
    package var capacity: Int { state.capacity }
    /// The number of ``tokens`` that are evaluated and kept.
    package var evaluatedCount: Int { state.count }
    /// Whether the logits after the last token are available.
    package var hasLogits: Bool { row != nil }
    /// Whether there is no room for another token.
    package var isFull: Bool { tokens.count >= capacity }

    // MARK: Steps

    /// The rows of a step that evaluates `chunk` after the tokens so far, which are all evaluated.
    ///
    /// - Parameter request: The wanted outputs of the last row; nil for none.
    package func segment(prompt chunk: ArraySlice<Int32>, request: LogitsRequest?) -> Segment {
        dropOutput()
        guard let request else { return Segment(state, Array(chunk), outputs: []) }
        return Segment(state, Array(chunk), outputs: [chunk.count - 1], request: request)
    }

    /// The same, with the logits of the rows `outputs`, which the caller reads.
    package func segment(scoring chunk: ArraySlice<Int32>, outputs: [Int]) -> Segment {
        dropOutput()
        return Segment(state, Array(chunk), outputs: outputs)
    }

    /// Adds `chunk`, which a step has evaluated whose output the caller has read.
    package func add(scored chunk: ArraySlice<Int32>) { tokens += chunk }

    /// Adds `chunk`, which a step has evaluated.
    package func add(prompt chunk: ArraySlice<Int32>, _ output: SegmentOutput) {
        tokens += chunk
        if output.count > 0 { (self.output, row) = (output, 0) }
    }

    /// The rows of a step that evaluates the token chosen last (row 0) and the nodes of `draft` (node i is row i + 1).
    package func segment(_ draft: DraftTree, request: LogitsRequest) -> Segment {
        dropOutput()
        let tail = Array(tokens[evaluatedCount...])
        guard !draft.isEmpty else { return Segment(state, tail, outputs: [tail.count - 1], request: request) }
        return Segment(
            state, tail + draft.tokens, parents: [-1] + draft.parents.map { $0 + 1 }, outputs: Array(0...draft.count),
            request: request, certainRows: 1)
    }

    /// Takes the output of that step.
    package func take(_ output: SegmentOutput) {
        (self.output, row) = (output, 0)
        draftRows = output.count > 1 ? [0] : nil
    }

    /// Adds the token that was chosen from the current logits. If it is the draft node of row `next`, the logits of that row are
    /// current afterwards.
    package func append(_ token: Int32, next: Int?) {
        tokens.append(token)
        row = next
        if let next { draftRows?.append(next) }
    }

    /// Keeps the rows of a draft step whose tokens were accepted and drops the others. The state is then the same as after plain
    /// decoding: the token chosen last is not evaluated, and there are no logits after it.
    package func keepDraftRows() throws(InferenceError) {
        guard var rows = draftRows else { return }
        draftRows = nil
        if row != nil, rows.count > 1 {
            rows.removeLast()
            row = nil
        }
        try state.keep(rows: rows)
    }

    /// Releases the output. While it is held, the next step must use other memory.
    private func dropOutput() { (output, row) = (nil, nil) }

    // MARK: Logits

    /// The top tokens after the last token; nil if they are not available.
    package var topTokens: [TopToken]? {
        guard let row, let output, output.topTokens.indices.contains(row) else { return nil }
        return output.topTokens[row]
    }

    /// The softmax's sums of the logits after the last token; nil if they are not available.
    package var softmaxSums: SoftmaxSums? {
        guard let row, let output, output.softmaxSums.indices.contains(row) else { return nil }
        return output.softmaxSums[row]
    }

    /// Calls `body` with the logits after the last token. Returns nil if they are not available.
    package func withLogits<R>(_ body: (UnsafeBufferPointer<Float>) -> R) -> R? {
        guard let row, let output else { return nil }
        return output.withLogits(row: row, body)
    }

    // MARK: Going back

    /// Keeps the evaluated tokens that `prompt` begins with and forgets the rest. The prompt's last token is never kept, because
    /// its logits are needed.
    ///
    /// - Returns: The number of tokens kept.
    package func keepCommonPrefix(with prompt: [Int32]) throws(InferenceError) -> Int {
        try keepDraftRows()
        let reusable = reusablePrefix(of: prompt)
        try rewind(to: reusable)
        return reusable
    }

    /// The number of tokens that ``keepCommonPrefix(with:)`` would keep.
    package func reusablePrefix(of prompt: [Int32]) -> Int {
        let limit = min(evaluatedCount, prompt.count - 1)
        return state.reusablePrefix(of: zip(tokens, prompt).prefix(limit).prefix { $0 == $1 }.count)
    }

    /// Forgets all tokens from position `position` on. Where a layer cannot go back so far exactly, the tokens behind the nearest
    /// position that it can go back to are left unevaluated.
    package func rewind(to position: Int) throws(InferenceError) {
        guard (0...tokens.count).contains(position) else {
            throw InferenceError(
                .invalidArgument, "cannot rewind to position \(position): the session holds \(tokens.count) tokens")
        }
        try keepDraftRows()
        if position == tokens.count { return }
        if position < evaluatedCount { try state.forget(from: state.reusablePrefix(of: position)) }
        tokens.removeLast(tokens.count - position)
        dropOutput()
    }

    /// Replaces all tokens by `tokens`, of which those in `snapshot` are evaluated.
    package func replace(with tokens: [Int32], evaluated snapshot: SequenceSnapshot? = nil) throws(InferenceError) {
        try rewind(to: 0)
        if let snapshot { restore(snapshot, of: tokens) }
        self.tokens = tokens
    }

    // MARK: Snapshots

    /// A copy of what is computed for the first `count` tokens, or for fewer where a layer cannot go back so far.
    ///
    /// - Throws: `outOfMemory`.
    package func snapshot(of count: Int) throws(InferenceError) -> SequenceSnapshot {
        try keepDraftRows()
        return try state.snapshot(of: min(count, evaluatedCount))
    }

    /// Replaces everything by the first of `tokens`, at most all of them, whose state is in `snapshot`.
    ///
    /// - Returns: The number of tokens.
    @discardableResult
    package func restore(_ snapshot: SequenceSnapshot, of tokens: [Int32]) -> Int {
        dropOutput()
        draftRows = nil
        let count = state.restore(snapshot, length: tokens.count)
        self.tokens = Array(tokens.prefix(count))
        return count
    }
}
