// The tokenizer that the ids in a datastore belong to.

public import InferGGUF
public import InferSupport
public import InferTokenizers

/// What a datastore remembers of the tokenizer it was built with.
public struct TokenizerIdentity: Hashable, Sendable {
    /// The tokenizer in words, for messages.
    public var name: String
    /// ``Tokenizer/fingerprint``: over vocabulary, merges and pre-tokenizer.
    public var fingerprint: UInt64
    /// Number of tokens; every id is smaller.
    public var vocabularyCount: Int

    /// An identity from its parts.
    public init(name: String, fingerprint: UInt64, vocabularyCount: Int) {
        self.name = name
        self.fingerprint = fingerprint
        self.vocabularyCount = vocabularyCount
    }

    /// The identity of `tokenizer`, to be called `name` in messages.
    public init(_ tokenizer: Tokenizer, name: String) {
        self.init(name: name, fingerprint: tokenizer.fingerprint, vocabularyCount: tokenizer.count)
    }

    /// Name, size and fingerprint in one phrase.
    public var summary: String {
        "\(name.printable) (\(vocabularyCount) tokens, fingerprint \(String(fingerprint, radix: 16)))"
    }
}

extension TokenizerIdentity {
    /// The identity of `tokenizer`, named after what the model's `metadata` says of algorithm, pre-tokenizer and model.
    public init(_ tokenizer: Tokenizer, metadata: Metadata) throws(InferenceError) {
        var kind = [try metadata.string("tokenizer.ggml.model") ?? "unknown"]
        if let preTokenizer = try metadata.string("tokenizer.ggml.pre") { kind.append(preTokenizer) }
        let name = kind.joined(separator: "/")
        let model = try metadata.string("general.name")
        self.init(tokenizer, name: model.map { "\(name) of \($0)" } ?? name)
    }
}
