// The activations of a step on one backend, and how much memory they take.

import InferSupport
import InferTensors

/// A buffer of activations: its columns, and how many rows it has for each row of a step.
struct BufferShape: Sendable, Equatable {
    var columns: Int
    var copies = 1
}

/// All buffers that a model's steps need. Layers of one shape share theirs.
struct WorkspaceShape: Sendable {
    /// The residual stream's width.
    let stream: Int
    /// The buffers of each kind of mixer, and of each kind of feed-forward layer.
    private(set) var mixers: [[BufferShape]] = []
    private(set) var feedForwards: [[BufferShape]] = []
    /// Where each layer finds its buffers in these.
    private(set) var layers: [(mixer: Int, feedForward: Int)] = []
    /// Each number of experts that tokens use, and each number of heads whose matrices are multiplied like experts.
    private(set) var expertsUsed: Set<Int> = [], stackedHeads: Set<Int> = []
    /// Rotated values per token, globally and in layers with a window; nil for none.
    let rotation: Int?, localRotation: Int?
    /// Whether queries are scaled by position.
    let hasTemperature: Bool
    /// Whether some block has two feed-forward branches.
    private(set) var hasBranches = false
    /// Values of a block's own embedding, and of all blocks'; nil for none.
    let perLayer: (each: Int, all: Int)?
    /// Residual streams beside each other; nil for a single one.
    let hyperConnections: HyperConnectionPlan?
    /// Length of the embedding of a group of tokens; nil for none.
    private(set) var ngramLength: Int?
    /// Columns of the residual streams together.
    var streams: Int { stream * (hyperConnections?.count ?? 1) }
    /// Columns of the buffers of ``HyperConnection/Buffers`` and of ``NGramEmbedding/Buffers``.
    var hyperColumns: [Int] { hyperConnections?.columns(width: stream) ?? [] }
    var ngramColumns: [Int] {
        ngramLength.map { [$0, stream, streams, streams, hyperConnections?.count ?? 1] } ?? []
    }

    init(_ c: Configuration) {
        stream = c.embeddingLength
        rotation = c.rope?.dimensionCount
        localRotation = c.localRope?.dimensionCount
        hasTemperature = c.attentionTemperature != nil
        perLayer = c.perLayerEmbeddingLength.map { ($0, $0 * c.blockCount) }
        hyperConnections = c.hyperConnections
        for layer in c.layers {
            layers.append(
                (
                    mixers.place(of: layer.mixerBuffers),
                    feedForwards.place(of: layer.feedForwardBuffers(width: c.embeddingLength))
                ))
            if let experts = layer.experts { expertsUsed.insert(experts.usedCount) }
            if case .latentAttention(let plan) = layer.mixer { stackedHeads.insert(plan.heads) }
            if case .denseAndExperts = layer.feedForward { hasBranches = true }
            if let plan = layer.ngrams { ngramLength = plan.embeddingLength }
        }
    }

    /// Rows and columns of all buffers for steps of `rows` rows. Routing counts as activations of two values per choice.
    func activations(rows: Int) -> [(rows: Int, columns: Int)] {
        var columns =
            [streams, stream, stream] + hyperColumns + ngramColumns + [rotation, localRotation].compactMap { $0 }
        if hasTemperature { columns.append(1) }
        if hasBranches { columns.append(stream) }
        if let perLayer { columns += [perLayer.all, perLayer.all, perLayer.each, perLayer.each] }
        var activations = columns.map { (rows: rows, columns: $0) }
        for buffer in (mixers + feedForwards).joined() {
            activations.append((rows * buffer.copies, buffer.columns))
        }
        for used in expertsUsed.sorted() + stackedHeads.sorted() { activations.append((rows * used, 2)) }
        return activations
    }
}

extension Array where Element: Equatable {
    /// The index of `element`, which is appended if it is not there.
    fileprivate mutating func place(of element: Element) -> Int {
        if let index = firstIndex(of: element) { return index }
        append(element)
        return count - 1
    }
}

/// Buffers that the steps of all sequences reuse. Each has one row per token, or several.
final class Workspace: Sendable {
    /// Most rows of a step.
    let rows: Int
    /// The residual stream, or several beside each other.
    let x: Activations
    /// Its normalised copy, the input of every layer.
    let h: Activations
    /// What a layer adds to the stream.
    let y: Activations
    /// Cosines and sines; nil without RoPE.
    let rotation: Activations?
    /// Those of layers with a window, where they differ.
    let localRotation: Activations?
    /// One factor per row, see ``Configuration/attentionTemperature``.
    let temperature: Activations?
    /// What the first of two feed-forward branches gives.
    let branch: Activations?
    /// For several residual streams, and for embeddings of several tokens together; nil without them.
    let hyper: HyperConnection.Buffers?, ngrams: NGramEmbedding.Buffers?
    /// The rows of the residual stream that the output matrix reads.
    let gathered: Activations
    /// See ``PerLayerEmbedding``: the slices of all blocks, and room to compute them; one block's slice, and its gate.
    let perLayer: Activations?, perLayerProjection: Activations?, perLayerSlice: Activations?,
        perLayerGate: Activations?
    /// See ``WorkspaceShape``.
    let mixers: [[Activations]]
    let feedForwards: [[Activations]]
    /// By the number of experts used, and by the number of heads.
    let routings: [Int: ExpertRouting], headRoutings: [Int: ExpertRouting]

    /// Buffers of that shape on `backend`, for steps of up to `rows` rows.
    init(_ shape: WorkspaceShape, on backend: any Backend, rows: Int) throws(InferenceError) {
        func make(_ columns: Int) throws(InferenceError) -> Activations {
            try backend.makeActivations(rows: rows, columns: columns)
        }
        func make(_ shapes: [[BufferShape]]) throws(InferenceError) -> [[Activations]] {
            try shapes.map { buffers throws(InferenceError) in
                try buffers.map { buffer throws(InferenceError) in
                    try backend.makeActivations(rows: rows * buffer.copies, columns: buffer.columns)
                }
            }
        }
        func routings(_ counts: Set<Int>) throws(InferenceError) -> [Int: ExpertRouting] {
            var routings: [Int: ExpertRouting] = [:]
            for count in counts { routings[count] = try backend.makeRouting(rows: rows, expertsUsed: count) }
            return routings
        }
        self.rows = rows
        x = try make(shape.streams)
        h = try make(shape.stream)
        y = try make(shape.stream)
        func make(all columns: [Int]) throws(InferenceError) -> [Activations] {
            try columns.map { columns throws(InferenceError) in try make(columns) }
        }
        hyper = HyperConnection.Buffers(try make(all: shape.hyperColumns))
        ngrams = NGramEmbedding.Buffers(try make(all: shape.ngramColumns))
        gathered = hyper?.mixed ?? h
        mixers = try make(shape.mixers)
        feedForwards = try make(shape.feedForwards)
        self.routings = try routings(shape.expertsUsed)
        headRoutings = try routings(shape.stackedHeads)
        rotation = try shape.rotation.map { columns throws(InferenceError) in try make(columns) }
        localRotation = try shape.localRotation.map { columns throws(InferenceError) in try make(columns) }
        temperature = shape.hasTemperature ? try make(1) : nil
        branch = shape.hasBranches ? try make(shape.stream) : nil
        if let (each, all) = shape.perLayer {
            (perLayer, perLayerProjection) = (try make(all), try make(all))
            (perLayerSlice, perLayerGate) = (try make(each), try make(each))
        } else {
            (perLayer, perLayerProjection, perLayerSlice, perLayerGate) = (nil, nil, nil, nil)
        }
    }
}
