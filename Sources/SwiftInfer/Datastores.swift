// Building and checking datastores for a model.

public import InferCodeSwift

extension Model {
    /// Identifies the model's tokenizer: a datastore can be used with this model only if its ``Datastore/tokenizer`` has the same
    /// fingerprint and vocabulary size. ``Datastore/requireTokenizer(_:)`` checks that.
    public var tokenizerIdentity: TokenizerIdentity {
        TokenizerIdentity(tokenizer, name: summary.name ?? summary.architecture)
    }
}

extension DatastoreBuilder {
    /// A builder without documents, for a datastore that `model` and all models with the same tokenizer can draft from.
    ///
    /// - Parameters:
    ///   - model: The model. Only its tokenizer is used.
    ///   - options: Which files are taken.
    ///   - threads: Number of threads that read and tokenize files; nil for one per processor.
    public init(for model: Model, options: IngestionOptions = .init(), threads: Int? = nil) {
        self.init(
            tokenizer: model.tokenizer, name: model.tokenizerIdentity.name, options: options, threads: threads)
    }
}
