// The tokenizer that the ids in a datastore belong to.

public import InferGGUF
public import InferSupport
public import InferTokenizers

/// Identifies the tokenizer that a datastore was built with.
///
/// Token ids have a meaning only for one tokenizer, so a datastore can be used only with models whose tokenizer has the
/// same ``fingerprint`` and ``vocabularyCount``.
public struct TokenizerIdentity: Hashable, Sendable {
    /// A description for messages, such as `gpt2/qwen2 of Qwen2.5 Coder`.
    public var name: String
    /// The tokenizer's fingerprint: a hash over vocabulary, merges and pre-tokenizer.
    public var fingerprint: UInt64
    /// Number of tokens in the vocabulary. Every id is smaller.
    public var vocabularyCount: Int

    /// Creates an identity from its parts.
    public init(name: String, fingerprint: UInt64, vocabularyCount: Int) {
        self.name = name
        self.fingerprint = fingerprint
        self.vocabularyCount = vocabularyCount
    }

    /// The identity of `tokenizer`. `name` describes it in messages.
    public init(_ tokenizer: Tokenizer, name: String) {
        self.init(name: name, fingerprint: tokenizer.fingerprint, vocabularyCount: tokenizer.count)
    }

    /// Name, size and fingerprint in one phrase.
    public var summary: String {
        "\(name.printable) (\(vocabularyCount) tokens, fingerprint \(String(fingerprint, radix: 16)))"
    }
}

extension TokenizerIdentity {
    /// The identity of `tokenizer`, with a name made from the algorithm, the pre-tokenizer and the model's name in
    /// `metadata`.
    ///
    /// - Throws: ``InferenceError`` with `malformedModel` if one of these values is not a string.
    public init(_ tokenizer: Tokenizer, metadata: Metadata) throws(InferenceError) {
        var kind = [try metadata.string("tokenizer.ggml.model") ?? "unknown"]
        if let preTokenizer = try metadata.string("tokenizer.ggml.pre") { kind.append(preTokenizer) }
        let name = kind.joined(separator: "/")
        let model = try metadata.string("general.name")
        self.init(tokenizer, name: model.map { "\(name) of \($0)" } ?? name)
    }
}
