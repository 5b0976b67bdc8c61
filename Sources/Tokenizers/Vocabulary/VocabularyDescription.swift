// The tokenizer section of a model file as plain values.

package import InferGGUF
package import InferSupport

/// The tokenizer keys of a model file, read but not yet interpreted.
///
/// The keys are those of the GGUF format, `tokenizer.ggml.…`.
package struct VocabularyDescription: Sendable {
    /// The path of the file, for messages.
    package var path: String?
    /// `tokenizer.ggml.model`: the algorithm.
    package var model: String
    /// `tokenizer.ggml.pre`: the rule that splits text into words before merging.
    package var preTokenizer: String?
    /// `general.name`. It identifies a few models whose differences GGUF cannot express.
    package var modelName: String?
    /// `tokenizer.ggml.tokens`: the spellings, by token id.
    package var tokens: PackedStrings
    /// `tokenizer.ggml.scores`: scores of the tokens; higher scores merge first. Empty, or at least one per token.
    package var scores: [Float] = []
    /// `tokenizer.ggml.token_type`: types of the tokens. Empty, or at least one per token.
    package var types: [Int] = []
    /// `tokenizer.ggml.merges`: pairs that merge, `left right`, lowest rank first.
    package var merges: PackedStrings?
    /// Ids of special tokens by the middle part of their key, such as `bos` in `tokenizer.ggml.bos_token_id`.
    package var specialIDs: [String: Int] = [:]
    package var addsBOS: Bool?
    package var addsEOS: Bool?
    package var addsSpacePrefix: Bool?

    package init(model: String, tokens: PackedStrings) {
        self.model = model
        self.tokens = tokens
    }

    /// The special tokens that have keys. If two keys mean the same, the later one wins.
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

    /// The warning for a byte-pair vocabulary without a pre-tokenizer.
    var missingPreTokenizerWarning: String {
        let file = path.map { "\($0.escaped): " } ?? ""
        return "\(file)metadata key tokenizer.ggml.pre is absent; text is split by a rule that may not be the model's, "
            + "and tokens may differ from those it was trained with"
    }

    /// Checks that there are tokens and that the lists parallel to them are long enough.
    ///
    /// - Throws: ``InferenceError`` with `malformedModel`; the message names the key.
    func checkShape() throws(InferenceError) {
        guard !tokens.isEmpty else {
            throw InferenceError(.malformedModel, "the vocabulary is empty (key tokenizer.ggml.tokens)")
        }
        // Ids of tokens and of intermediate merge results together must fit into 32 bits.
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

extension VocabularyDescription {
    /// 64-bit FNV-1a over everything that determines the ids of a text. It is the same on every machine.
    var fingerprint: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        func add(_ value: Int) {
            for shift in stride(from: 0, to: 64, by: 8) { add(UInt8(truncatingIfNeeded: value >> shift)) }
        }
        for text in [model, preTokenizer ?? ""] {
            add(text.utf8.count)
            for byte in text.utf8 { add(byte) }
        }
        for strings in [tokens, merges ?? .init()] {
            add(strings.count)
            for string in strings { add(string.count) }
            for byte in strings.bytes { add(byte) }
        }
        for type in types.prefix(tokens.count) { add(type) }
        for score in scores.prefix(tokens.count) { add(Int(score.bitPattern)) }
        return hash
    }
}
