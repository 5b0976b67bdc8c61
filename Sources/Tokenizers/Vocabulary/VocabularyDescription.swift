// The tokenizer section of a model file as plain values.

package import InferGGUF
package import InferSupport

/// What a model file says about its tokenizer, checked for shape but not yet interpreted.
///
/// The keys are those of the GGUF format, `tokenizer.ggml.…`.
package struct VocabularyDescription: Sendable {
    /// The file it was read from, for messages.
    package var path: String?
    /// `tokenizer.ggml.model`: the algorithm.
    package var model: String
    /// `tokenizer.ggml.pre`: the rule that splits text into words before pairs are merged.
    package var preTokenizer: String?
    /// `general.name`; a few models are recognised by it because the format has no place for what differs.
    package var modelName: String?
    /// The texts, by token id.
    package var tokens: PackedStrings
    /// Ranks of the tokens, higher first; empty for none, else at least one for each token.
    package var scores: [Float] = []
    /// Kinds of the tokens; empty for none, else at least one for each token.
    package var types: [Int] = []
    /// Pairs that merge, `left right`, most important first.
    package var merges: PackedStrings?
    /// Ids of special tokens by the middle of their key, such as `bos` of `tokenizer.ggml.bos_token_id`.
    package var specialIDs: [String: Int] = [:]
    package var addsBOS: Bool?
    package var addsEOS: Bool?
    package var addsSpacePrefix: Bool?

    package init(model: String, tokens: PackedStrings) {
        self.model = model
        self.tokens = tokens
    }

    /// The special tokens that have keys. A later one of the same meaning wins.
    static let specialKeys = [
        "bos", "eos", "eot", "eom", "unknown", "padding",
        "fim_pre", "fim_suf", "fim_mid", "fim_pad", "fim_rep", "fim_sep", "prefix", "suffix", "middle",
    ]

    package init(metadata: Metadata) throws(InferenceError) {
        guard let model = try metadata.string("tokenizer.ggml.model") else {
            throw metadata.error(
                .unsupportedTokenizer, "tokenizer.ggml.model", "is absent: the model has no tokenizer")
        }
        guard let tokens = try metadata.strings("tokenizer.ggml.tokens") else {
            throw metadata.malformed("tokenizer.ggml.tokens", "is absent: the model has no vocabulary")
        }
        self.init(model: model, tokens: tokens)
        path = metadata.path
        preTokenizer = try metadata.string("tokenizer.ggml.pre")
        modelName = try metadata.string("general.name")
        if case .array(let array)? = metadata["tokenizer.ggml.scores"] {
            scores = array.integers?.map(Float.init) ?? []
        }
        if scores.isEmpty { scores = try metadata.floats("tokenizer.ggml.scores") ?? [] }
        types = try metadata.integers("tokenizer.ggml.token_type") ?? []
        merges = try metadata.strings("tokenizer.ggml.merges")
        for name in Self.specialKeys { specialIDs[name] = try metadata.integer("tokenizer.ggml.\(name)_token_id") }
        addsBOS = try metadata.bool("tokenizer.ggml.add_bos_token")
        addsEOS = try metadata.bool("tokenizer.ggml.add_eos_token")
        addsSpacePrefix = try metadata.bool("tokenizer.ggml.add_space_prefix")
    }

    /// What to tell whoever uses a byte-pair vocabulary without a rule for splitting text.
    var missingPreTokenizerWarning: String {
        let file = path.map { "\($0.escaped): " } ?? ""
        return "\(file)metadata key tokenizer.ggml.pre is absent; text is split by a rule that may not be the model's, "
            + "and tokens may differ from those it was trained with"
    }

    /// Throws unless lists that go with the tokens are long enough, naming the key of the one that is not.
    func checkShape() throws(InferenceError) {
        guard !tokens.isEmpty else {
            throw InferenceError(.malformedModel, "the vocabulary is empty (key tokenizer.ggml.tokens)")
        }
        // Ids of tokens and of intermediate merge results together are 32-bit.
        guard tokens.count + 3 * (merges?.count ?? 0) < Int(TokenID.max), tokens.bytes.count < Int(TokenID.max) else {
            throw InferenceError(.malformedModel, "tokenizer.ggml.tokens holds \(tokens.count) tokens, too many")
        }
        for (key, count) in [("scores", scores.count), ("token_type", types.count)]
        where count > 0 && count < tokens.count {
            throw InferenceError(
                .malformedModel, "tokenizer.ggml.\(key) has \(count) elements for \(tokens.count) tokens")
        }
    }
}
