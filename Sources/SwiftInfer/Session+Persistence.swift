// Keeping a session's tokens in a file.

public import InferSupport
import InferTokenizers

extension Session {
    /// Writes the session's tokens to a file that appears complete or not at all.
    ///
    /// - Throws: ``InferenceError``: `unwritableFile`, or `busy` during a generation.
    public func save(to path: String) throws(InferenceError) {
        try requireIdle()
        let file = SessionFile(tokenizerFingerprint: model.tokenizer.fingerprint, tokens: tokens)
        try file.write(to: path)
    }

    /// Takes over the tokens of a saved session. The file holds no keys and values: the next generation evaluates of the
    /// tokens what its prompt begins with.
    ///
    /// - Throws: ``InferenceError``: `unreadableFile` for a damaged file, `invalidArgument` for one of another tokenizer,
    ///   `contextFull` when the tokens do not fit, or `busy` during a generation. The session is unchanged then.
    public func restore(from path: String) throws(InferenceError) {
        try requireIdle()
        let file = try SessionFile(path: path)
        guard file.tokenizerFingerprint == model.tokenizer.fingerprint else {
            throw InferenceError(.invalidArgument, "\(path) was saved with a model of another vocabulary")
        }
        guard file.tokens.count <= contextLength else {
            throw InferenceError(
                .contextFull, "\(path) holds \(file.tokens.count) tokens, but the context only \(contextLength)")
        }
        guard file.tokens.allSatisfy((0..<TokenID(clamping: model.tokenizer.count)).contains) else {
            throw InferenceError(.unreadableFile, "\(path) holds a token outside the vocabulary")
        }
        try sequence.replace(with: file.tokens)
    }
}
