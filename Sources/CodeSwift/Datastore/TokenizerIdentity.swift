// Which tokenizer the ids in a datastore belong to.

import InferSupport
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
