// The description of a model file that `show` prints: sizes, tokenizer and chat template.

import InferEvaluation
import InferGGUF
import InferSupport
import InferTransformer
import SwiftInfer

/// The contents of a model file, as `show --json` prints them. Values that the file does not have are nil.
struct ModelDescription: Encodable {
    /// The tensors of one type.
    struct TypeUse: Encodable {
        let type: String
        let tensors: Int
        let bytes: Int
    }

    /// The sampling that the model's makers recommend.
    struct Sampling: Encodable {
        let temperature: JSONNumber
        let topK: Int
        let topP: JSONNumber
        let minP: JSONNumber
        let repeatPenalty: JSONNumber

        enum CodingKeys: String, CodingKey {
            case temperature, topK = "top_k", topP = "top_p", minP = "min_p", repeatPenalty = "repeat_penalty"
        }

        init(_ options: SamplingOptions) {
            temperature = JSONNumber(Double("\(options.temperature)") ?? 0)
            topK = options.topK
            topP = JSONNumber(Double("\(options.topP)") ?? 1)
            minP = JSONNumber(Double("\(options.minP)") ?? 0)
            repeatPenalty = JSONNumber(Double("\(options.repeatPenalty)") ?? 1)
        }
    }

    /// The blocks of one kind.
    struct LayerKind: Encodable {
        let kind: String
        let count: Int
    }

    /// What recurrent layers keep of a sequence, in bytes.
    struct RecurrentState: Encodable {
        /// One state of all layers.
        let bytes: Int
        /// What a row of a draft leaves until it is kept or rejected.
        let bytesPerDraftRow: Int

        enum CodingKeys: String, CodingKey { case bytes, bytesPerDraftRow = "bytes_per_draft_row" }
    }

    let path: String
    let fileSize: Int
    let formatVersion: Int
    let architecture: String
    let name: String?
    let licence: String?
    /// Why this program cannot run the model; nil if it can.
    let problem: String?
    let parameters: Int
    let contextLength: Int?
    let slidingWindow: Int?
    let layers: Int?
    /// The kinds of blocks in the order of their first; nil for a model that this program cannot run.
    let layerKinds: [LayerKind]?
    /// Nil for a model without recurrent layers.
    let recurrentState: RecurrentState?
    let width: Int?
    let feedForwardWidth: Int?
    let heads: Int?
    let keyValueHeads: Int?
    let headWidth: Int?
    let experts: Int?
    let expertsUsed: Int?
    let vocabularySize: Int?
    let tokenizer: TokenizerDescription
    let chatTemplate: TemplateDescription?
    /// Nil if the file recommends none.
    let sampling: Sampling?
    let types: [TypeUse]

    enum CodingKeys: String, CodingKey {
        case path, architecture, name, problem, parameters, layers, width, heads, experts, tokenizer, sampling, types
        case fileSize = "file_size", formatVersion = "format_version", licence = "license"
        case contextLength = "context_length", slidingWindow = "sliding_window"
        case feedForwardWidth = "feed_forward_width", keyValueHeads = "kv_heads", headWidth = "head_width"
        case layerKinds = "layer_kinds", recurrentState = "recurrent_state", expertsUsed = "experts_used",
            vocabularySize = "vocabulary_size",
            chatTemplate = "chat_template"
    }

    /// Describes a valid file. It may have no tensors or an unknown architecture.
    init(_ file: GGUFFile) throws(InferenceError) {
        let summary = try Model.Summary(of: file)
        let metadata = file.metadata
        func own(_ key: String) -> Int? { metadata["\(summary.architecture).\(key)"]?.integer }
        path = file.path
        fileSize = summary.fileSize
        formatVersion = file.version
        architecture = summary.architecture
        name = summary.name
        licence = try metadata.string("general.license")
        (problem, layerKinds, recurrentState) = Self.layers(of: file)
        parameters = summary.parameterCount
        contextLength = summary.contextLength
        slidingWindow = own("attention.sliding_window")
        layers = summary.layers
        width = summary.width
        feedForwardWidth = summary.feedForwardWidth
        heads = summary.heads
        keyValueHeads = summary.keyValueHeads
        headWidth = own("attention.key_length") ?? Self.quotient(summary.width, summary.heads)
        experts = summary.experts?.total
        expertsUsed = summary.experts?.used
        vocabularySize = summary.vocabularySize
        tokenizer = TokenizerDescription(metadata, model: summary.tokenizer, preTokenizer: summary.preTokenizer)
        chatTemplate = summary.hasChatTemplate ? TemplateDescription(metadata) : nil
        sampling = summary.recommendedSampling.map(Sampling.init)
        types = summary.types.map {
            TypeUse(type: $0.type.description, tensors: $0.tensors, bytes: $0.bytes)
        }
    }

    private static func quotient(_ dividend: Int?, _ divisor: Int?) -> Int? {
        guard let dividend, let divisor, divisor > 0 else { return nil }
        return dividend / divisor
    }

    /// Why this program cannot run the model in `file`: its layers or its tokenizer; nil if it can.
    static func problem(of file: GGUFFile) -> String? {
        do {
            _ = try Tokenizer(metadata: file.metadata)
            return layers(of: file).problem
        } catch {
            return error.message
        }
    }

    /// Why the model cannot run here, or else its kinds of blocks.
    private static func layers(
        of file: GGUFFile
    ) -> (problem: String?, kinds: [LayerKind]?, state: RecurrentState?) {
        guard !file.tensors.isEmpty else { return ("the file holds no tensors", nil, nil) }
        do {
            let configuration = try Configuration(file)
            let kinds = configuration.layers.map(\.kind)
            let counts = Dictionary(kinds.map { ($0, 1) }, uniquingKeysWith: +)
            var seen: Set<String> = []
            return (
                nil, kinds.filter { seen.insert($0).inserted }.map { LayerKind(kind: $0, count: counts[$0] ?? 0) },
                configuration.recurrentState.map {
                    RecurrentState(bytes: $0.byteCount, bytesPerDraftRow: $0.byteCountPerDraftRow)
                }
            )
        } catch {
            return (error.message, nil, nil)
        }
    }
}

/// The tokenizer and its notable tokens.
struct TokenizerDescription: Encodable {
    /// The algorithm by its name in the file.
    let model: String?
    /// The rule that splits text into words.
    let preTokenizer: String?
    /// Why this program cannot tokenize for the model; nil if it can.
    let problem: String?
    /// Whether a text begins with the beginning-of-text token.
    let addsBOS: Bool?
    /// Tokens with a special role, such as those that begin and end texts.
    let special: [String: TokenID]?
    /// Tokens of the fill-in-the-middle format.
    let infill: [String: TokenID]?
    /// Tokens that end an answer, by their texts.
    let ends: [String: TokenID]?
    /// The texts of the fill-in-the-middle tokens, by the part that they mark.
    let infillTexts: [String: String]?

    enum CodingKeys: String, CodingKey {
        case model, problem, special
        case preTokenizer = "pre", addsBOS = "adds_bos", infill = "fim", ends = "end", infillTexts = "fim_texts"
    }

    /// Describes the tokenizer in `metadata`.
    init(_ metadata: Metadata, model: String?, preTokenizer: String?) {
        self.model = model
        self.preTokenizer = preTokenizer
        do {
            let tokenizer = try Tokenizer(metadata: metadata)
            let infill = tokenizer.infill
            problem = nil
            addsBOS = tokenizer.addsBOS
            special = Self.present([
                ("bos", tokenizer.bos), ("eos", tokenizer.eos), ("eot", tokenizer.eot), ("unknown", tokenizer.unknown),
                ("padding", tokenizer.padding),
            ])
            ends = Dictionary(
                tokenizer.endOfGeneration.compactMap { id in tokenizer.text(of: id).map { ($0, id) } },
                uniquingKeysWith: { first, _ in first })
            let marks = Self.present([
                ("prefix", infill.prefix), ("suffix", infill.suffix), ("middle", infill.middle),
                ("padding", infill.padding), ("repository", infill.repository),
                ("file_separator", infill.fileSeparator),
            ])
            self.infill = marks
            infillTexts = marks.compactMapValues(tokenizer.text(of:))
        } catch {
            problem = error.message
            addsBOS = nil
            special = nil
            infill = nil
            ends = nil
            infillTexts = nil
        }
    }

    /// Algorithm and splitting rule, for people.
    var kind: String? {
        guard let model else { return nil }
        return ([model] + (preTokenizer.map { [$0] } ?? [])).map(\.printable).joined(separator: ", ")
    }

    private static func present(_ tokens: [(String, TokenID?)]) -> [String: TokenID] {
        var result: [String: TokenID] = [:]
        for case (let name, let token?) in tokens { result[name] = token }
        return result
    }
}

/// The model's chat template.
struct TemplateDescription: Encodable {
    /// The known family whose marks the template has; nil if it has those of none.
    let kind: String?
    /// Why `run --chat` cannot use the template; nil if it can.
    let problem: String?

    /// Describes the template in `metadata`.
    init(_ metadata: Metadata) {
        do {
            kind = try ChatTemplate(metadata: metadata, tokenizer: Tokenizer(metadata: metadata)).format?.description
            problem = nil
        } catch {
            kind = nil
            problem = error.message
        }
    }
}
