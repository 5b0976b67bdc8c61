// The summary of a model by its file.

public import InferDecoding
public import InferGGUF
public import InferSupport

extension Model {
    /// The figures of a model. They are read from the file's metadata and tensor directory alone, so models that this engine
    /// cannot run have them too.
    public struct Summary: Sendable {
        /// The tensors of one element type.
        public struct TypeUse: Sendable {
            /// The element type.
            public let type: TensorType
            /// The number of tensors.
            public let tensors: Int
            /// The bytes of all these tensors.
            public let bytes: Int
        }

        /// The architecture's name, such as `llama`.
        public let architecture: String
        /// The model's own name; nil if it has none.
        public let name: String?
        /// Number of weights.
        public let parameterCount: Int
        /// Size of the file or files in bytes.
        public let fileSize: Int
        /// The element types in use, largest number of bytes first.
        public let types: [TypeUse]
        /// The context length that the model was trained for.
        public let contextLength: Int?
        /// Number of transformer blocks.
        public let layers: Int?
        /// Embedding width.
        public let width: Int?
        /// The inner width of the feed-forward layers; the largest if layers differ.
        public let feedForwardWidth: Int?
        /// The number of attention heads; the largest if layers differ.
        public let heads: Int?
        /// The number of key and value heads; the largest if layers differ.
        public let keyValueHeads: Int?
        /// The number of experts per layer and the number used for a token; nil without experts.
        public let experts: (total: Int, used: Int)?
        /// Number of tokens in the vocabulary.
        public let vocabularySize: Int?
        /// The tokenizer's kind, such as `gpt2` (byte-pair) or `llama` (SentencePiece).
        public let tokenizer: String?
        /// The name of the rule that splits text before byte-pair merging.
        public let preTokenizer: String?
        /// Whether the file has a chat template.
        public let hasChatTemplate: Bool
        /// The pooling of embeddings that the model is made for; nil if the file states none that a decoder can have.
        public let pooling: EmbeddingOptions.Pooling?
        /// The sampling that the model's makers recommend; nil if the file has no or no valid recommendation.
        public let recommendedSampling: SamplingOptions?

        /// Reads the figures.
        ///
        /// - Throws: ``InferenceError`` with `malformedModel` when a value has the wrong type.
        public init(of file: GGUFFile) throws(InferenceError) {
            let metadata = file.metadata
            guard let architecture = try metadata.string("general.architecture") else {
                throw InferenceError(.malformedModel, "\(file.path): metadata key general.architecture is missing")
            }
            func largest(_ key: String) throws(InferenceError) -> Int? {
                let key = "\(architecture).\(key)"
                if case .array = metadata[key] { return try metadata.integers(key)?.max() }
                return try metadata.integer(key)
            }
            self.architecture = architecture
            name = try metadata.string("general.name")
            fileSize = file.byteCount
            parameterCount = file.tensors.reduce(0) { $0 &+ $1.elementCount }
            var uses: [TensorType: (tensors: Int, bytes: Int)] = [:]
            for tensor in file.tensors {
                uses[tensor.type, default: (0, 0)].tensors += 1
                uses[tensor.type, default: (0, 0)].bytes += tensor.byteCount
            }
            types = uses.map { TypeUse(type: $0, tensors: $1.tensors, bytes: $1.bytes) }
                .sorted { ($1.bytes, $0.type.rawValue) < ($0.bytes, $1.type.rawValue) }
            contextLength = try largest("context_length")
            layers = try largest("block_count")
            width = try largest("embedding_length")
            feedForwardWidth = try largest("feed_forward_length")
            heads = try largest("attention.head_count")
            keyValueHeads = try largest("attention.head_count_kv") ?? heads
            if let total = try largest("expert_count"), total > 0 {
                experts = (total, try largest("expert_used_count") ?? 0)
            } else {
                experts = nil
            }
            if case .array(let tokens) = metadata["tokenizer.ggml.tokens"] {
                vocabularySize = tokens.count
            } else {
                vocabularySize = try largest("vocab_size")
            }
            tokenizer = try metadata.string("tokenizer.ggml.model")
            preTokenizer = try metadata.string("tokenizer.ggml.pre")
            hasChatTemplate = metadata["tokenizer.chat_template"] != nil
            // The numbers are those of llama.cpp's pooling types.
            pooling = [1: .mean, 3: .last][try metadata.integer("\(architecture).pooling_type") ?? 0]
            recommendedSampling = SamplingOptions(recommendedBy: metadata)
        }
    }
}

extension Model.Summary: CustomStringConvertible {
    /// One line for people, such as `SmolLM2 135M Instruct: llama, 134.5 M parameters (Q4_1, F32), 94 MiB, context 2048, chat template`.
    public var description: String {
        var parts = [architecture.printable]
        let names = types.filter { $0.type != .f32 }.map(\.type.description)
        if parameterCount > 0 {
            let types = names.isEmpty ? types.map(\.type.description) : names
            parts.append("\(Self.count(parameterCount)) parameters (\(types.joined(separator: ", ")))")
        }
        parts.append(fileSize.mebibytes)
        if let contextLength { parts.append("context \(contextLength)") }
        if let experts { parts.append("\(experts.used) of \(experts.total) experts") }
        parts.append(hasChatTemplate ? "chat template" : "no chat template")
        return "\(name?.printable ?? "unnamed"): " + parts.joined(separator: ", ")
    }

    /// A count with one decimal: `134.5 million`.
    private static func count(_ count: Int) -> String {
        for (unit, name) in [(1e9, "billion"), (1e6, "million"), (1e3, "thousand")] where Double(count) >= unit {
            return "\((Double(count) / unit * 10).rounded() / 10) \(name)"
        }
        return "\(count)"
    }
}

extension SamplingOptions {
    /// The values of the keys `general.sampling.*`, as llama.cpp writes and reads them. What has no key is off. Nil if there are none
    /// that this engine knows, or if one is not valid: a bad recommendation is none.
    package init?(recommendedBy metadata: Metadata) {
        self.init()
        func number(_ key: String) -> Float? {
            let key = "general.sampling." + key
            return (try? metadata.float(key)) ?? (try? metadata.integer(key)).map { Float($0) }
        }
        let temperature = number("temp")
        let known = [
            temperature, number("top_k"), number("top_p"), number("min_p"), number("penalty_repeat"),
        ]
        guard known.contains(where: { $0 != nil }) else { return nil }
        // llama.cpp's standard temperature is for files that recommend something else.
        self.temperature = temperature ?? 0.8
        topK = known[1].flatMap { Int(exactly: $0.rounded()) } ?? 0
        topP = known[2] ?? 1
        minP = known[3] ?? 0
        repeatPenalty = known[4] ?? 1
        penaltyWindow = number("penalty_last_n").flatMap { Int(exactly: $0.rounded()) } ?? penaltyWindow
        if topK < 0 { topK = 0 }
        // A negative window is the whole context.
        if penaltyWindow < 0 { penaltyWindow = 1 << 30 }
        guard (try? validate()) != nil else { return nil }
    }
}
