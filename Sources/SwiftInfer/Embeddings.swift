// Embeddings: texts as vectors whose angles say how much the texts have to do with each other.

import InferGGUF
public import InferSupport
import InferTransformer

/// Options of ``Model/embedding(of:options:)``.
public struct EmbeddingOptions: Sendable, Hashable {
    /// How the states of a text's tokens become one vector.
    public enum Pooling: String, Sendable, CaseIterable {
        /// Their mean.
        case mean
        /// That of the last token, which alone has seen the whole text.
        case last
    }

    /// The pooling; nil for the one that the model's file states (`pooling_type`), or else ``Pooling/mean``.
    public var pooling: Pooling?
    /// Whether vectors are scaled to length 1, so that their scalar products are the cosines of their angles.
    public var isNormalized = true

    /// Options of embeddings.
    public init(pooling: Pooling? = nil, isNormalized: Bool = true) {
        (self.pooling, self.isNormalized) = (pooling, isNormalized)
    }
}

extension Model {
    /// The length of an embedding.
    public var embeddingLength: Int { configuration.embeddingLength }

    /// The embedding of a text: ``embeddingLength`` values, from the states that the output matrix reads of its tokens.
    ///
    /// Models that are made for it give the best ones; every other model gives some. All work happens on a thread of the model. A task
    /// that is cancelled stops between chunks of the text.
    ///
    /// - Throws: ``InferenceError``: `invalidArgument` for a text without tokens or an unknown token, `contextFull` for one longer than
    ///   the model was trained for, `outOfMemory`, `cancelled`.
    public func embedding(
        of prompt: Prompt, options: EmbeddingOptions = .init()
    ) async throws(InferenceError) -> [Float] {
        let tokens = try tokens(for: prompt)
        guard tokens.count <= configuration.contextLength else {
            throw InferenceError(
                .contextFull,
                "the text has \(tokens.count) tokens, but the model was trained for \(configuration.contextLength)"
            )
        }
        return try await Embedder(self).embedding(of: tokens, options)
    }
}

/// Computes embeddings on the model's thread.
private actor Embedder {
    private let model: Model

    init(_ model: Model) { self.model = model }

    nonisolated var unownedExecutor: UnownedSerialExecutor { model.executor.asUnownedSerialExecutor() }

    func embedding(of tokens: [TokenID], _ options: EmbeddingOptions) async throws(InferenceError) -> [Float] {
        let pooling = options.pooling ?? model.summary.pooling ?? .mean
        let width = model.embeddingLength
        let state = try model.transformer.makeSequence(capacity: tokens.count, cacheType: .f32)
        var sums = [Double](repeating: 0, count: width)
        for start in stride(from: 0, to: tokens.count, by: TransformerModel.stepRows) {
            if Task.isCancelled { throw InferenceError(.cancelled, "the embedding was cancelled") }
            let chunk = Array(tokens[start...].prefix(TransformerModel.stepRows))
            let isLast = start + chunk.count == tokens.count
            let outputs = pooling == .mean ? Array(chunk.indices) : isLast ? [chunk.count - 1] : []
            let segment = Segment(state, chunk, outputs: outputs)
            for (index, value) in try model.transformer.states(of: segment).enumerated() {
                sums[index % width] += Double(value)
            }
            // Sessions of the model take their turns.
            await Task.yield()
        }
        let length = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let scale =
            options.isNormalized ? (length > 0 ? 1 / length : 0) : pooling == .mean ? 1 / Double(tokens.count) : 1
        return sums.map { Float($0 * scale) }
    }
}
