// The activations of a step on one backend, and how much memory they take.

import InferSupport
import InferTensors

/// The widths of all buffers that a model's steps need. A model whose layers differ has one set of buffers for each shape of
/// layer, because operations take whole rows.
struct WorkspaceShape: Sendable {
    struct AttentionWidths: Sendable, Equatable {
        let query: Int, key: Int, value: Int, attended: Int
    }
    struct ExpertWidths: Sendable, Equatable {
        let count: Int, used: Int, inner: Int
    }
    /// The residual stream's width.
    let stream: Int
    /// Each shape of attention, once.
    private(set) var attention: [AttentionWidths] = []
    /// Each inner width of dense feed-forward layers, once.
    private(set) var dense: [Int] = []
    /// Each shape of mixtures of experts, once.
    private(set) var experts: [ExpertWidths] = []
    /// Where each layer finds its buffers: an index into those of its kind of mixer, and one into those of its kind of feed-forward
    /// layer.
    private(set) var layers: [(mixer: Int, feedForward: Int)] = []
    /// Rotated values per token, globally and in layers with a window; nil for none.
    let rotation: Int?, localRotation: Int?
    /// Whether queries are scaled by position.
    let hasTemperature: Bool

    init(_ c: Configuration) {
        stream = c.embeddingLength
        rotation = c.rope?.dimensionCount
        localRotation = c.localRope?.dimensionCount
        hasTemperature = c.attentionTemperature != nil
        for layer in c.layers {
            let mixer: Int
            switch layer.mixer {
            case .attention(let plan):
                let widths = AttentionWidths(
                    query: plan.queryWidth, key: plan.keyWidth, value: plan.valueWidth, attended: plan.attendedWidth)
                mixer = attention.place(of: widths)
            }
            switch layer.feedForward {
            case .dense(let innerLength):
                layers.append((mixer, dense.place(of: max(1, innerLength))))
            case .experts(let plan):
                let widths = ExpertWidths(count: plan.count, used: plan.usedCount, inner: max(1, plan.innerLength))
                layers.append((mixer, experts.place(of: widths)))
            }
        }
    }

    /// Rows and columns of all buffers for steps of `rows` rows. Routing counts as activations of two values per choice.
    func activations(rows: Int) -> [(rows: Int, columns: Int)] {
        var columns = [stream, stream, stream] + [rotation, localRotation].compactMap { $0 }
        if hasTemperature { columns.append(1) }
        for widths in attention { columns += [widths.query, widths.key, widths.value, widths.attended] }
        for width in dense { columns += [width, width] }
        var activations = columns.map { (rows: rows, columns: $0) }
        for widths in experts {
            let choices = rows * widths.used
            activations += [(rows, widths.count), (choices, 2), (choices, widths.inner), (choices, widths.inner)]
            activations.append((choices, stream))
        }
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

/// Buffers that the steps of all sequences reuse. Each has one row per token.
final class Workspace: Sendable {
    struct AttentionBuffers: Sendable {
        let q: Activations, k: Activations, v: Activations, attended: Activations
    }
    struct FeedForwardBuffers: Sendable {
        let gate: Activations, up: Activations
    }
    struct ExpertBuffers: Sendable {
        let routing: ExpertRouting
        /// One row per token.
        let logits: Activations
        /// One row per token and expert used.
        let gate: Activations, up: Activations, down: Activations
    }

    /// Most rows of a step.
    let rows: Int
    /// The residual stream.
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
    /// See ``WorkspaceShape``.
    let attention: [AttentionBuffers]
    let dense: [FeedForwardBuffers]
    let experts: [ExpertBuffers]

    /// Buffers of that shape on `backend`, for steps of up to `rows` rows.
    init(_ shape: WorkspaceShape, on backend: any Backend, rows: Int) throws(InferenceError) {
        func make(_ columns: Int, rows: Int = rows) throws(InferenceError) -> Activations {
            try backend.makeActivations(rows: rows, columns: columns)
        }
        self.rows = rows
        x = try make(shape.stream)
        h = try make(shape.stream)
        y = try make(shape.stream)
        attention = try shape.attention.map { widths throws(InferenceError) in
            AttentionBuffers(
                q: try make(widths.query), k: try make(widths.key), v: try make(widths.value),
                attended: try make(widths.attended))
        }
        dense = try shape.dense.map { width throws(InferenceError) in
            FeedForwardBuffers(gate: try make(width), up: try make(width))
        }
        experts = try shape.experts.map { widths throws(InferenceError) in
            ExpertBuffers(
                routing: try backend.makeRouting(rows: rows, expertsUsed: widths.used), logits: try make(widths.count),
                gate: try make(widths.inner, rows: rows * widths.used),
                up: try make(widths.inner, rows: rows * widths.used),
                down: try make(shape.stream, rows: rows * widths.used))
        }
        rotation = try shape.rotation.map { columns throws(InferenceError) in try make(columns) }
        localRotation = try shape.localRotation.map { columns throws(InferenceError) in try make(columns) }
        temperature = shape.hasTemperature ? try make(1) : nil
    }
}
