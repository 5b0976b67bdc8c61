// The working memory of one item of attention.

/// Queries, scores, outputs and sums of one item of attention: up to ``queries`` rows, one per query.
struct AttentionScratch {
    /// Most queries of an item.
    static let queries = 16

    /// How the memory is divided.
    struct Layout {
        /// Bytes of a query in the keys' input format.
        let queryBytes: Int
        /// Floats of a row of scores. Not a power of two, for then all rows would compete for the same few cache lines.
        let scores: Int
        /// Floats of an output.
        let outputs: Int
        /// All of it, with one sum per query.
        var byteCount: Int { AttentionScratch.queries * (queryBytes + 4 * (scores + outputs + 1)) }

        /// The division for a cache of that shape.
        init(_ shape: KVCacheShape) {
            let format: InputFormat = shape.type == .q8_0 ? .blocks32 : .float
            queryBytes = (format.rowBytes(shape.keyDimension) + 63) / 64 * 64
            scores = (shape.slots + 15) / 16 * 16 + 16
            outputs = (shape.valueDimension + 15) / 16 * 16
        }
    }

    /// Bytes from query to query, floats from row to row of scores, and of outputs.
    let queryStride: Int, scoreStride: Int, outputStride: Int
    private let base: UnsafeMutableRawPointer

    /// The division of `memory` for a cache of that shape.
    init(_ memory: AlignedMemory, _ shape: KVCacheShape) {
        let layout = Layout(shape)
        queryStride = layout.queryBytes
        scoreStride = layout.scores
        outputStride = layout.outputs
        base = memory.base
    }

    /// Query `index`, in the keys' input format.
    func query(_ index: Int) -> UnsafeMutableRawPointer { base + index * queryStride }

    /// Query `index`'s scores, one per visible slot.
    func scores(_ index: Int) -> UnsafeMutablePointer<Float> {
        (base + Self.queries * queryStride).assumingMemoryBound(to: Float.self) + index * scoreStride
    }

    /// Query `index`'s weighted sum of values.
    func output(_ index: Int) -> UnsafeMutablePointer<Float> {
        scores(Self.queries) + index * outputStride
    }

    /// Query `index`'s sum of softmax numerators.
    func sum(_ index: Int) -> UnsafeMutablePointer<Float> { output(Self.queries) + index }
}
