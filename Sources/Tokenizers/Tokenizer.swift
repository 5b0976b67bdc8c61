// A model's tokenizer: text to tokens and back.

public import InferGGUF
public import InferSupport

/// The id of a token: its index in the vocabulary, from 0.
public typealias TokenID = Int32

/// The vocabulary of a model and its encoding algorithm.
///
/// Supported are byte-level byte-pair vocabularies (`gpt2`), byte-pair vocabularies of characters (`gemma4`), and SentencePiece
/// vocabularies, the last two with byte fallback (`llama`).
/// Ids agree with llama.cpp's. Encoding takes linear time for any text.
public final class Tokenizer: Sendable {
    let table: StringTable
    let attributes: [TokenAttributes]
    /// The bytes of each token.
    let pieces: PackedStrings
    let special: SpecialTokens
    let encoder: Encoder
    /// Finds special tokens of all kinds.
    let allMatcher: SpecialTokenMatcher
    /// Finds only the special tokens that are text.
    let textMatcher: SpecialTokenMatcher

    /// Whether ``encode(_:addSpecial:parseSpecial:)-(String,_,_)`` puts ``bos`` before the text when it adds special tokens.
    public let addsBOS: Bool
    /// Whether ``encode(_:addSpecial:parseSpecial:)-(String,_,_)`` puts ``eos`` after the text when it adds special tokens.
    public let addsEOS: Bool
    /// Whether encoding puts a space before text that follows no other text. Decoding removes it.
    public let addsSpacePrefix: Bool
    /// A hash of everything that determines the ids of a text: algorithm, pre-tokenizer, texts, types, scores and merges.
    /// Files with token ids store it, so that they are not read with another vocabulary.
    public let fingerprint: UInt64
    /// Doubts about the vocabulary that do not prevent its use: one sentence each, for a person.
    public let warnings: [String]

    enum Encoder: Sendable {
        case bytePair(BytePairEncoder)
        case sentencePiece(SentencePieceEncoder)
    }

    /// Reads the tokenizer of a model.
    ///
    /// - Throws: ``InferenceError`` with `unsupportedTokenizer` for an unknown algorithm or pre-tokenizer, and with
    ///   `malformedModel` if a key is missing or has a wrong type or length.
    public convenience init(metadata: Metadata) throws(InferenceError) {
        let description = try VocabularyDescription(metadata: metadata)
        do throws(InferenceError) {
            try self.init(description)
        } catch {
            throw metadata.naming(error)
        }
    }

    /// A tokenizer from a description of its vocabulary.
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
        case "gemma4": preTokenizer = .gemma4
        case "llama": preTokenizer = nil
        default:
            throw InferenceError(
                .unsupportedTokenizer,
                "the tokenizer \"\(description.model.printable)\" (key tokenizer.ggml.model) is not supported; "
                    + "known are: gemma4, gpt2, llama")
        }
        let defaults: (bos: Int?, eos: Int?, unknown: Int?)
        switch description.model {
        case "gpt2": defaults = (preTokenizer?.hasDefaultBOS ?? true ? 11 : nil, 11, nil)
        case "llama": defaults = (1, 2, 0)
        default: defaults = (nil, nil, nil)
        }
        var special = SpecialTokens(keys: description.specialIDs, defaults: defaults, count: table.count)
        special.find(in: table, attributes: &attributes)
        special.setInfillOrder(table, preTokenizer: description.preTokenizer)
        Self.markStripping(
            &attributes, modelName: description.modelName ?? "", preTokenizer: description.preTokenizer, table)

        if let preTokenizer {
            guard description.merges != nil || !preTokenizer.needsMerges else {
                throw InferenceError(.malformedModel, "the vocabulary has no merges (key tokenizer.ggml.merges)")
            }
            encoder = .bytePair(
                BytePairEncoder(
                    table, attributes: attributes, merges: description.merges ?? PackedStrings(),
                    preTokenizer: preTokenizer))
        } else {
            encoder = .sentencePiece(
                SentencePieceEncoder(
                    table, scores: description.scores, attributes: attributes, unknown: special.unknown))
        }
        pieces = Self.pieces(table, attributes, isByteLevel: preTokenizer?.spelling == .bytes)
        allMatcher = SpecialTokenMatcher(table, attributes) { !$0.isDisjoint(with: .special) }
        textMatcher = SpecialTokenMatcher(table, attributes) {
            $0.contains(.userDefined) && $0.isText
        }
        let wantsBOS =
            switch preTokenizer?.addsBOS ?? .byDefault {
            case .ifKeyed: description.addsBOS ?? false
            case .byDefault: description.addsBOS ?? true
            case .always: true
            }
        addsBOS = wantsBOS && special.bos != nil
        addsEOS = description.addsEOS ?? false && special.eos != nil
        addsSpacePrefix = description.addsSpacePrefix ?? (preTokenizer == nil)
        fingerprint = description.fingerprint
        warnings =
            description.model == "gpt2" && description.preTokenizer?.isEmpty ?? true
            ? [description.missingPreTokenizerWarning] : []
        self.table = table
        self.attributes = attributes
        self.special = special
    }
}

// MARK: The vocabulary

extension Tokenizer {
    /// Number of tokens.
    public var count: Int { attributes.count }
    /// The token that begins a text.
    public var bos: TokenID? { special.bos }
    /// The token that ends a text.
    public var eos: TokenID? { special.eos }
    /// The token that ends a turn of a conversation.
    public var eot: TokenID? { special.eot }
    /// The token for text that the vocabulary cannot express.
    public var unknown: TokenID? { special.unknown }
    /// The token that pads batches.
    public var padding: TokenID? { special.padding }
    /// The tokens of the fill-in-the-middle format.
    public var infill: InfillTokens { special.infill }

    /// Whether generation ends at `token`: it ends a text, a turn, a message, or a file within a prompt.
    public func isEndOfGeneration(_ token: TokenID) -> Bool { special.endOfGeneration.contains(token) }

    /// All tokens that end generation, in ascending order.
    public var endOfGeneration: [TokenID] { special.endOfGeneration.sorted() }

    /// The type of `token`; nil outside the vocabulary.
    public func type(of token: TokenID) -> TokenType? {
        attributes.indices.contains(Int(token)) ? attributes[Int(token)].type : nil
    }

    /// The spelling of `token` in the vocabulary; nil outside the vocabulary.
    public func text(of token: TokenID) -> String? {
        guard attributes.indices.contains(Int(token)) else { return nil }
        return String(decoding: table.bytes[table.range(of: Int(token))], as: UTF8.self)
    }

    /// The token with the spelling `text`; nil when there is none.
    public func token(_ text: String) -> TokenID? { table.find(text.utf8) }
}

// MARK: Text to tokens

extension Tokenizer {
    /// The tokens of `text`.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - addSpecial: Whether to put ``bos`` before and ``eos`` after the text if the model expects them.
    ///   - parseSpecial: Whether the spelling of a control token, such as `<|im_end|>`, becomes that token. Use false for
    ///     untrusted text. User-defined tokens, which are text, are always found.
    public func encode(_ text: String, addSpecial: Bool = true, parseSpecial: Bool = false) -> [TokenID] {
        encode(Array(text.utf8), addSpecial: addSpecial, parseSpecial: parseSpecial)
    }

    /// The tokens of bytes, which may be invalid UTF-8.
    ///
    /// Byte-pair vocabularies replace every byte outside a UTF-8 sequence with U+FFFD, as llama.cpp does. SentencePiece
    /// vocabularies keep it.
    public func encode(_ bytes: [UInt8], addSpecial: Bool = true, parseSpecial: Bool = false) -> [TokenID] {
        var encoder = TextEncoder(self, byteCount: bytes.count)
        return encoder.encode(bytes, addSpecial: addSpecial, parseSpecial: parseSpecial)
    }

    /// The tokens of a prompt. Only its format parts can contain control tokens.
    public func encode(_ text: PromptText, addSpecial: Bool = true) -> [TokenID] {
        var encoder = TextEncoder(self, byteCount: text.bytes.count)
        return encoder.encode(text, addSpecial: addSpecial)
    }

    /// The tokens of plain text that continues another text, so no space is put before it.
    package func encodeContinuation(_ text: String) -> [TokenID] {
        let bytes = Array(text.utf8)
        var encoder = TextEncoder(self, byteCount: bytes.count)
        return encoder.encodeContinuation(bytes)
    }
}

// MARK: Tokens to text

extension Tokenizer {
    /// The bytes of `token`: part of a character, or several characters. For a control token they are its spelling. Empty
    /// for ids outside the vocabulary.
    public func bytes(of token: TokenID) -> ArraySlice<UInt8> {
        pieces.indices.contains(Int(token)) ? pieces[Int(token)] : []
    }

    /// Whether `token` is a mark of the format rather than text.
    public func isControl(_ token: TokenID) -> Bool {
        attributes.indices.contains(Int(token)) && !attributes[Int(token)].isDisjoint(with: .structural)
    }

    /// The bytes of `tokens` as a whole text, without the space that encoding puts before it.
    ///
    /// - Parameter includingControl: Whether the spelling of control tokens is included.
    public func bytes(of tokens: some Sequence<TokenID>, includingControl: Bool = true) -> [UInt8] {
        var detokenizer = StreamingDetokenizer(
            self, beginsText: true, includesControl: includingControl)
        var bytes: [UInt8] = []
        for token in tokens { bytes.append(contentsOf: detokenizer.bytes(of: token)) }
        return bytes
    }

    /// The text of `tokens` as a whole. Invalid UTF-8 becomes U+FFFD.
    ///
    /// - Parameter includingControl: Whether the spelling of control tokens is included.
    public func decode(_ tokens: some Sequence<TokenID>, includingControl: Bool = true) -> String {
        String(decoding: bytes(of: tokens, includingControl: includingControl), as: UTF8.self)
    }
}
