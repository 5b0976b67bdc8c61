// A model's tokenizer: text to tokens and back.

public import InferGGUF
public import InferSupport

/// The vocabulary of a model and the algorithm that goes with it.
///
/// Byte-level byte-pair vocabularies (`gpt2`) and SentencePiece vocabularies with byte fallback (`llama`) are
/// supported. Ids agree with llama.cpp's; encoding takes time proportional to the text, whatever the text.
public final class Tokenizer: Sendable {
    let table: StringTable
    let attributes: [TokenAttributes]
    /// What each token stands for in text.
    let pieces: PackedStrings
    let special: SpecialTokens
    let encoder: Encoder
    /// Finds special tokens of all kinds.
    let allMatcher: SpecialTokenMatcher
    /// Finds the special tokens that are text.
    let textMatcher: SpecialTokenMatcher

    /// Whether a text begins with ``bos`` when special tokens are added.
    public let addsBOS: Bool
    /// Whether a text ends with ``eos`` when special tokens are added.
    public let addsEOS: Bool
    /// Whether a space is put before text that follows no other text, and taken away again when decoding.
    public let addsSpacePrefix: Bool
    /// A hash of everything that decides which ids a text gets: algorithm, pre-tokenizer, texts, kinds, scores and
    /// merges. Files that hold token ids carry it, so that they are not read with another vocabulary.
    public let fingerprint: UInt64
    /// What is doubtful about the vocabulary without keeping it from being used: a sentence each, for a person.
    public let warnings: [String]

    enum Encoder: Sendable {
        case bytePair(BytePairEncoder)
        case sentencePiece(SentencePieceEncoder)
    }

    /// Reads the tokenizer of a model.
    ///
    /// - Throws: ``InferenceError`` with `unsupportedTokenizer` for an algorithm or pre-tokenizer that is not known,
    ///   and with `malformedModel` where a key is missing or has a wrong type or length.
    public convenience init(metadata: Metadata) throws(InferenceError) {
        let description = try VocabularyDescription(metadata: metadata)
        do throws(InferenceError) {
            try self.init(description)
        } catch {
            throw metadata.naming(error)
        }
    }

    /// A tokenizer from plain values.
    package init(_ description: VocabularyDescription) throws(InferenceError) {
        try description.checkShape()
        var table = StringTable(capacity: description.tokens.count)
        let texts = description.tokens
        for id in texts.indices {
            if texts[id].isEmpty {
                let name = Array("[EMPTY_\(id)]".utf8)
                table.append(name, name.indices)
            } else {
                table.append(texts.bytes, texts[id].indices)
            }
        }
        var attributes = (0..<table.count).map { id -> TokenAttributes in
            let type = description.types.isEmpty ? .normal : TokenType(rawValue: description.types[id]) ?? .undefined
            return TokenAttributes(type)
        }

        let preTokenizer: PreTokenizer?
        switch description.model {
        case "gpt2": preTokenizer = try .named(description.preTokenizer)
        case "llama": preTokenizer = nil
        default:
            throw InferenceError(
                .unsupportedTokenizer,
                "the tokenizer \"\(description.model.printable)\" (key tokenizer.ggml.model) is not supported; "
                    + "known are: gpt2, llama")
        }
        var special = SpecialTokens(
            keys: description.specialIDs,
            defaults: preTokenizer.map { ($0.hasDefaultBOS ? 11 : nil, 11, nil) } ?? (1, 2, 0),
            count: table.count)
        special.find(in: table, attributes: &attributes)
        special.setInfillOrder(table, preTokenizer: description.preTokenizer)
        Self.markStripping(&attributes, modelName: description.modelName ?? "", table)

        if let preTokenizer {
            guard let merges = description.merges else {
                throw InferenceError(.malformedModel, "the vocabulary has no merges (key tokenizer.ggml.merges)")
            }
            encoder = .bytePair(
                BytePairEncoder(table, attributes: attributes, merges: merges, preTokenizer: preTokenizer))
        } else {
            encoder = .sentencePiece(
                SentencePieceEncoder(
                    table, scores: description.scores, attributes: attributes, unknown: special.unknown))
        }
        pieces = Self.pieces(table, attributes, isByteLevel: preTokenizer != nil)
        allMatcher = SpecialTokenMatcher(table, attributes) { !$0.isDisjoint(with: .special) }
        textMatcher = SpecialTokenMatcher(table, attributes) {
            $0.contains(.userDefined) && $0.isText
        }
        addsBOS = (description.addsBOS ?? preTokenizer?.addsBOS ?? true) && special.bos != nil
        addsEOS = description.addsEOS ?? false && special.eos != nil
        addsSpacePrefix = description.addsSpacePrefix ?? (preTokenizer == nil)
        fingerprint = description.fingerprint
        warnings =
            preTokenizer != nil && description.preTokenizer?.isEmpty ?? true
            ? [description.missingPreTokenizerWarning] : []
        self.table = table
        self.attributes = attributes
        self.special = special
    }
}
