// The identity of a model's tokenizer.

public import InferGGUF
public import InferSupport
public import InferTokenizers

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
