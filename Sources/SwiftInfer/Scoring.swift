// Scoring of given text: how probable a model finds each of its tokens.

package import InferDecoding
public import InferSupport
public import InferTokenizers
import InferTransformer

extension Session {
    /// The log-probabilities of each token of a text after a prompt: the same bits that a generation reports for the same tokens after
    /// the same prompt.
    ///
    /// The text is tokenized by itself, so that its tokens do not depend on the prompt. The session holds prompt and text afterwards. All
    /// work happens on a thread of the model.
    ///
    /// - Parameters:
    ///   - text: The text that follows. Control tokens spelled in it are text.
    ///   - prompt: The prompt.
    ///   - topLogProbabilities: The number of top tokens at each place that are reported too.
    /// - Returns: One value for each token of the text.
    /// - Throws: ``InferenceError``: `contextFull` if prompt and text do not fit; `busy` during a generation; `cancelled`; those of
    ///   ``Model/tokens(for:limit:)``.
    public func score(
        _ text: String, after prompt: Prompt, topLogProbabilities: Int = 0
    ) async throws(InferenceError) -> [GeneratedToken] {
        try await score(
            model.tokenizer.encodeContinuation(text), after: prompt, topLogProbabilities: topLogProbabilities)
    }

    /// The log-probabilities of each of `tokens` after a prompt, in the way of ``score(_:after:topLogProbabilities:)-(String,_,_)``.
    ///
    /// - Throws: ``InferenceError``, as that function does, and `invalidArgument` for an unknown token.
    public func score(
        _ tokens: [TokenID], after prompt: Prompt, topLogProbabilities: Int = 0
    ) async throws(InferenceError) -> [GeneratedToken] {
        let before = try model.tokens(for: prompt)
        guard topLogProbabilities >= 0 else {
            throw InferenceError(.invalidArgument, "the number of top log-probabilities is \(topLogProbabilities)")
        }
        let all = try model.tokens(for: .tokens(before + tokens))
        guard all.count <= contextLength else {
            throw InferenceError(
                .contextFull, "prompt and text have \(all.count) tokens, but the context holds only \(contextLength)")
        }
        let (sequence, ticket) = (try sequence, try begin())
        defer { end(ticket) }
        var scored: [GeneratedToken] = []
        // Nothing after the prompt's last token is reused, because the logits after it are needed.
        let kept = try sequence.keepCommonPrefix(with: before)
        var chunks = ScoringChunks(
            count: all.count - kept, firstOutput: before.count - 1 - kept, vocabularySize: model.logitCount)
        while let chunk = chunks.next() {
            if Task.isCancelled { throw InferenceError(.cancelled, "the scoring was cancelled") }
            let start = kept + chunk.rows.lowerBound
            let rows = all[start..<kept + chunk.rows.upperBound]
            // The logits after the last token are not needed, but its state is.
            let outputs = chunk.outputs.filter { start + $0 + 1 < all.count }
            let output = try model.transformer.evaluate(sequence.segment(scoring: rows, outputs: outputs))
            sequence.add(scored: rows)
            for (row, place) in outputs.enumerated() {
                let token = all[start + place + 1]
                scored.append(
                    output.withLogits(row: row) {
                        GeneratedToken(token, of: model.tokenizer, logits: $0, top: topLogProbabilities)
                    })
            }
            // Sessions of the model take their turns.
            await Task.yield()
        }
        return scored
    }
}

extension Model {
    /// The number of logits of a row, which may be more than there are tokens.
    fileprivate var logitCount: Int { configuration.vocabularySize }

}

extension GeneratedToken {
    /// A token, and what the logits that it follows say of it.
    ///
    /// - Parameter count: The number of top tokens.
    init(_ token: TokenID, of tokenizer: Tokenizer, logits: UnsafeBufferPointer<Float>, top count: Int) {
        let probabilities = LogProbabilities(UnsafeBufferPointer(rebasing: logits.prefix(tokenizer.count)))
        self.init(token, of: tokenizer)
        logProbability = probabilities[token]
        top = probabilities.top(count).map { .init(id: $0.token, logProbability: Double($0.logProbability)) }
    }

    /// A token of which nothing is known.
    init(_ token: TokenID, of tokenizer: Tokenizer) {
        (id, bytes, isDrafted, logProbability, top) = (token, Array(tokenizer.bytes(of: token)), false, nil, [])
    }
}

/// The steps that evaluate tokens of which many logits are wanted.
private struct ScoringChunks: IteratorProtocol {
    /// The most logits of one step, which are all kept: 64 MiB.
    private static let maximumLogits = 1 << 24

    private let count: Int, firstOutput: Int, length: Int
    private var start = 0

    /// - Parameters:
    ///   - count: The number of tokens.
    ///   - firstOutput: The first one whose logits are wanted, as are those of all later ones.
    init(count: Int, firstOutput: Int, vocabularySize: Int) {
        (self.count, self.firstOutput) = (count, firstOutput)
        length = min(TransformerModel.stepRows, max(1, Self.maximumLogits / max(vocabularySize, 1)))
    }

    /// The tokens of the next step, and those of its rows whose logits are wanted.
    mutating func next() -> (rows: Range<Int>, outputs: [Int])? {
        guard start < count else { return nil }
        let rows = start..<min(start + length, count)
        start = rows.upperBound
        return (rows, Array(max(firstOutput - rows.lowerBound, 0)..<max(firstOutput - rows.lowerBound, rows.count)))
    }
}

/// Evaluates texts in a sequence of its own, and gives the distribution of the next token at each place.
package struct Scorer {
    /// The most tokens of a text. With more, sizes in bytes could overflow.
    package static let largestCapacity = 1 << 30

    private let model: Model
    private let state: SequenceState

    /// Makes a scorer for texts of up to `capacity` tokens.
    package init(_ model: Model, capacity: Int, cacheType: KVCacheType) throws(InferenceError) {
        self.model = model
        state = try model.transformer.makeSequence(capacity: capacity, cacheType: cacheType)
    }

    /// Evaluates `tokens` from an empty sequence. Calls `body` for each position from `first` on, ascending, with the
    /// distribution of the token after it.
    package func score(
        _ tokens: [TokenID], from first: Int, _ body: (_ position: Int, _ next: LogProbabilities) -> Void
    ) throws(InferenceError) {
        try state.forget(from: 0)
        var chunks = ScoringChunks(count: tokens.count, firstOutput: first, vocabularySize: model.logitCount)
        while let (rows, outputs) = chunks.next() {
            let output = try model.transformer.evaluate(Segment(state, Array(tokens[rows]), outputs: outputs))
            for (row, place) in outputs.enumerated() {
                output.withLogits(row: row) { logits in
                    let known = UnsafeBufferPointer(rebasing: logits.prefix(model.tokenizer.count))
                    body(rows.lowerBound + place, LogProbabilities(known))
                }
            }
        }
    }
}
