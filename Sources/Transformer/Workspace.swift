// The activations of a forward pass.

import InferSupport
import InferTensors

/// Buffers that every step of a context reuses; all are rows × width, one row per token.
final class Workspace {
    /// The residual stream.
    let x: Activations
    /// Its normalised copy, the input of every layer.
    let h: Activations
    /// What a layer adds to the stream.
    let y: Activations
    /// headCount · keyLength
    let q: Activations
    /// headCountKV · keyLength
    let k: Activations
    /// headCountKV · valueLength
    let v: Activations
    /// headCount · valueLength
    let attended: Activations
    /// feedForwardLength
    let gate: Activations
    /// feedForwardLength
    let up: Activations
    /// Mixture of experts; nil for dense models.
    let experts: ExpertWorkspace?
    /// Cosines and sines; nil without RoPE.
    let rotation: Activations?
    /// Those of layers with a window, where they differ.
    let localRotation: Activations?
    /// One factor per row, see ``Configuration/attentionTemperature``.
    let temperature: Activations?

    struct ExpertWorkspace {
        let routing: ExpertRouting
        /// expertCount
        let logits: Activations
        /// rows · used × expertFeedForwardLength
        let gate: Activations
        /// rows · used × expertFeedForwardLength
        let up: Activations
        /// rows · used × embeddingLength
        let down: Activations
    }

    init(_ model: TransformerModel, on backend: any Backend, rows: Int) throws(InferenceError) {
        let c = model.configuration
        func make(_ columns: Int, rows: Int = rows) throws(InferenceError) -> Activations {
            try backend.makeActivations(rows: rows, columns: columns)
        }
        x = try make(c.embeddingLength)
        h = try make(c.embeddingLength)
        y = try make(c.embeddingLength)
        q = try make(c.headCount * c.keyLength)
        k = try make(c.headCountKV * c.keyLength)
        v = try make(c.headCountKV * c.valueLength)
        attended = try make(c.headCount * c.valueLength)
        gate = try make(max(1, c.feedForwardLength))
        up = try make(max(1, c.feedForwardLength))
        if c.expertCount > 0 {
            let inner = max(1, model.expertFeedForwardLength)
            experts = ExpertWorkspace(
                routing: try backend.makeRouting(rows: rows, expertsUsed: c.expertUsedCount),
                logits: try make(c.expertCount),
                gate: try make(inner, rows: rows * c.expertUsedCount),
                up: try make(inner, rows: rows * c.expertUsedCount),
                down: try make(c.embeddingLength, rows: rows * c.expertUsedCount))
        } else {
            experts = nil
        }
        rotation = try c.rope.map { rope throws(InferenceError) in try make(rope.dimensionCount) }
        localRotation = try c.localRope.map { rope throws(InferenceError) in try make(rope.dimensionCount) }
        temperature = c.attentionTemperature == nil ? nil : try make(1)
    }

    /// Rows and columns of all that ``init(_:on:rows:)`` makes; routing counts as activations of twice the choices.
    static func shapes(_ c: Configuration, expertInner: Int, rows: Int) -> [(rows: Int, columns: Int)] {
        var columns = [c.embeddingLength, c.embeddingLength, c.embeddingLength]
        columns += [c.headCount * c.keyLength, c.headCountKV * c.keyLength, c.headCountKV * c.valueLength]
        columns += [c.headCount * c.valueLength, max(1, c.feedForwardLength), max(1, c.feedForwardLength)]
        columns += [c.rope, c.localRope].compactMap { $0?.dimensionCount }
        if c.attentionTemperature != nil { columns.append(1) }
        var shapes = columns.map { (rows: rows, columns: $0) }
        if c.expertCount > 0 {
            let choices = rows * c.expertUsedCount, inner = max(1, expertInner)
            shapes += [(rows, c.expertCount), (choices, 2), (choices, inner), (choices, inner)]
            shapes.append((choices, c.embeddingLength))
        }
        return shapes
    }
}
