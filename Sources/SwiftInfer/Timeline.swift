// A session's tokens together with the keys and values computed for them.

import Decoding
import GGUF
import Tokenizers
import Transformer

/// One sequence of tokens and its context. Both change together: ``tokens`` always says what the context holds, and an error
/// leaves them as they were.
final class Timeline {
    private let context: ModelContext
    /// The tokens so far. All of them are evaluated but, at most, a tail: the token chosen last, or tokens restored from a
    /// file.
    private(set) var tokens: [TokenID] = []
    /// Whether the context has the logits that follow the last token.
    private(set) var hasLogits = false

    /// An empty timeline over `context`.
    init(_ context: ModelContext) { self.context = context }

    /// Most tokens it can hold.
    var capacity: Int { context.capacity }
    /// Most tokens that one step evaluates.
    var maximumRows: Int { context.maximumRows }
    /// How many of ``tokens`` are evaluated.
    var evaluatedCount: Int { context.count }
    /// Whether there is room for a further token.
    var isFull: Bool { tokens.count >= capacity }

    /// Keeps of the evaluated tokens what `prompt` begins with, but not its last token, whose logits are needed, and forgets
    /// the rest.
    ///
    /// - Returns: The number of tokens kept.
    func keepCommonPrefix(with prompt: [TokenID]) throws(InferenceError) -> Int {
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
        if position == tokens.count { return }
        if position < evaluatedCount { try context.rewind(to: position) }
        tokens.removeLast(tokens.count - position)
        hasLogits = false
    }

    /// Evaluates `chunk` after the tokens so far, which are all evaluated, and adds it to them.
    func evaluate(_ chunk: ArraySlice<TokenID>, wantsLogits: Bool) throws(InferenceError) {
        try context.evaluate(Array(chunk), outputs: wantsLogits ? [chunk.count - 1] : [])
        tokens += chunk
        hasLogits = wantsLogits
    }

    /// Evaluates the token chosen last.
    func evaluateLast() throws(InferenceError) {
        try context.evaluate(Array(tokens[evaluatedCount...]), outputs: [tokens.count - evaluatedCount - 1])
        hasLogits = true
    }

    /// Adds a token without evaluating it.
    func append(_ token: TokenID) {
        tokens.append(token)
        hasLogits = false
    }

    /// Replaces everything by tokens that are yet to be evaluated.
    func replace(with tokens: [TokenID]) throws(InferenceError) {
        try rewind(to: 0)
        self.tokens = tokens
    }

    /// Lends the logits that follow the last token.
    func withLogits<R>(_ body: (UnsafeBufferPointer<Float>) -> R) -> R? {
        hasLogits ? context.withLogits(body) : nil
    }
}
