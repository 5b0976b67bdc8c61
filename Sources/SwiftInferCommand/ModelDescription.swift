// What `show` prints about a model file.

import InferGGUF
import InferSupport
import InferTransformer
import SwiftInfer

/// A model file's contents in figures, in the shape of the command's JSON. What a file does not say is nil.
struct ModelDescription: Encodable {
    /// The tensors of one element type.
    struct TypeUse: Encodable {
        let type: String
        let tensors: Int
        let bytes: Int
    }

    let path: String
    let fileSize: Int
    let formatVersion: Int
    let architecture: String
    let name: String?
    let licence: String?
    /// Why this program cannot run the model; nil when it can.
    let problem: String?
    let parameters: Int
    let contextLength: Int?
    let slidingWindow: Int?
    let layers: Int?
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
    let types: [TypeUse]

    enum CodingKeys: String, CodingKey {
        case path, architecture, name, problem, parameters, layers, width, heads, experts, tokenizer, types
        case fileSize = "file_size", formatVersion = "format_version", licence = "license"
        case contextLength = "context_length", slidingWindow = "sliding_window"
        case feedForwardWidth = "feed_forward_width", keyValueHeads = "kv_heads", headWidth = "head_width"
        case expertsUsed = "experts_used", vocabularySize = "vocabulary_size", chatTemplate = "chat_template"
    }

    /// Describes an opened file: any sound one, vocabularies without tensors and unknown architectures included.
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
        problem = Self.problem(file)
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
        types = summary.types.map {
            TypeUse(type: $0.type.description, tensors: $0.tensors, bytes: $0.bytes)
        }
    }

    private static func quotient(_ dividend: Int?, _ divisor: Int?) -> Int? {
        guard let dividend, let divisor, divisor > 0 else { return nil }
        return dividend / divisor
    }

    private static func problem(_ file: GGUFFile) -> String? {
        guard !file.tensors.isEmpty else { return "the file holds no tensors" }
        do {
            _ = try Configuration(file)
            return nil
        } catch {
            return error.message
        }
    }
}
