// Softmax attention over cached keys and values: its plan, its weights, and its part of the forward pass.

import InferGGUF
import InferSupport
import InferTensors

/// One layer of softmax attention with grouped heads (arXiv 1706.03762, 2305.13245).
package struct AttentionPlan: Sendable, Equatable {
    /// Which position encoding queries and keys get.
    package enum Rotation: Sendable {
        /// None.
        case none
        /// The model's ``Configuration/rope``.
        case global
        /// ``Configuration/localRope``: that of layers with a window, where it differs.
        case local
    }

    /// What the result of attention is multiplied by before the output matrix.
    package enum Gate: Sendable, Equatable {
        /// The sigmoid of a gate for each value, whose rows follow those of each head's query in `attn_q` (Qwen 3.5).
        case sigmoid
        /// The softplus of `attn_gate`'s outputs, each for an equal part of the values (Laguna).
        case softplus(count: Int)
    }

    /// Query heads.
    package var heads: Int
    /// Heads of keys and values; it divides ``heads``.
    package var keyValueHeads: Int
    /// Length of one head's query and key.
    package var keyLength: Int
    /// Length of one head's value.
    package var valueLength: Int
    /// Scores are multiplied by this before the softmax.
    package var scale: Float
    /// Soft cap of scores; nil for none.
    package var softCap: Float?
    /// Latest positions that a token sees, itself included; nil for all.
    package var window: Int?
    /// Position encoding.
    package var rotation: Rotation
    /// Whether the norms of queries and keys follow the rotation.
    package var normalisesAfterRotation = false
    /// Whether values get an RMS norm without weights (Gemma 4).
    package var normalisesValues = false
    /// Factor of the result; nil for none.
    package var gate: Gate?
    /// The earlier layer whose keys and values this one reads; nil for its own (Gemma 4).
    package var sharedLayer: Int?
    /// What chooses the keys that a token sees; nil for all (Qwen 4).
    var indexer: IndexerPlan?

    /// Width of all heads' queries.
    var queryWidth: Int { heads * keyLength }
    /// Width of all heads' keys.
    var keyWidth: Int { keyValueHeads * keyLength }
    /// Width of all heads' values.
    var valueWidth: Int { keyValueHeads * valueLength }
    /// Width of what attention gives: one value per query head.
    var attendedWidth: Int { heads * valueLength }

    /// What the backend needs to know of the layer.
    func parameters(sinks: WeightVector?) -> AttentionParameters {
        AttentionParameters(
            heads: heads, keyValueHeads: keyValueHeads, scale: scale, window: window, softCap: softCap, sinks: sinks)
    }

    /// The cache of `layers` such layers for `slots` tokens.
    func cacheShape(layers: Int, slots: Int, type: KVCacheType) -> KVCacheShape {
        KVCacheShape(
            layers: layers, heads: keyValueHeads, keyDimension: keyLength, valueDimension: valueLength, slots: slots,
            type: type)
    }

    /// The columns of the buffers that a step needs, in the order of ``Attention/Buffers``.
    var buffers: [BufferShape] {
        var widths = [queryWidth, keyWidth, valueWidth, attendedWidth]
        switch gate {
        case nil where indexer != nil: widths += [0, 0]
        case nil: break
        case .sigmoid: widths += [2 * queryWidth, attendedWidth]
        case .softplus(let count): widths += [0, count]
        }
        if let indexer { widths += [indexer.heads * indexer.keyLength, indexer.keyLength] }
        return widths.map { BufferShape(columns: $0) }
    }
}

/// The weights of a layer of softmax attention.
struct Attention: Sendable {
    let plan: AttentionPlan
    let attn_q: Linear
    /// Nil for a layer that reads another's keys and values.
    let attn_k: Linear?
    /// Nil where the keys, before their norm, are the values.
    let attn_v: Linear?
    let attn_output: Linear
    /// Norms of queries and keys: of each head, or of all heads together.
    let attn_q_norm: Norm?
    let attn_k_norm: Norm?
    /// Norm of each head's value.
    let valueNorm: Norm?
    let attn_gate: Linear?
    let indexer: Indexer?
    let parameters: AttentionParameters

    init(
        _ prefix: String, _ plan: AttentionPlan, width: Int, _ norm: NormKind, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        self.plan = plan
        let isGated = plan.gate == .sigmoid
        if loader.has(prefix + "attn_qkv.weight") {
            let parts = try loader.fused(
                prefix + "attn_qkv", inputs: width,
                outputs: [plan.queryWidth * (isGated ? 2 : 1), plan.keyWidth, plan.valueWidth],
                parts: ["attn_q", "attn_k", "attn_v"].map { prefix + $0 })
            (attn_q, attn_k, attn_v) = (parts[0], parts[1], parts[2])
        } else {
            attn_q = try loader.linear(
                prefix + "attn_q", inputs: width, outputs: plan.queryWidth * (isGated ? 2 : 1))
            if plan.sharedLayer == nil {
                attn_k = try loader.linear(prefix + "attn_k", inputs: width, outputs: plan.keyWidth)
                let hasValues = !plan.normalisesValues || loader.has(prefix + "attn_v.weight")
                attn_v = hasValues ? try loader.linear(prefix + "attn_v", inputs: width, outputs: plan.valueWidth) : nil
                guard hasValues || plan.keyWidth == plan.valueWidth else {
                    throw InferenceError(
                        .malformedModel, "\(loader.file.path): tensor \(prefix)attn_v.weight is absent")
                }
            } else {
                // Some files have what was trained before the layers shared keys and values.
                loader.ignore(["attn_k.weight", "attn_v.weight", "attn_k_norm.weight"].map { prefix + $0 })
                (attn_k, attn_v) = (nil, nil)
            }
        }
        attn_output = try loader.linear(prefix + "attn_output", inputs: plan.attendedWidth, outputs: width)
        attn_q_norm = try loader.headNorm(
            prefix + "attn_q_norm", length: plan.keyLength, heads: plan.heads, norm)
        attn_k_norm =
            plan.sharedLayer == nil
            ? try loader.headNorm(prefix + "attn_k_norm", length: plan.keyLength, heads: plan.keyValueHeads, norm) : nil
        valueNorm = plan.normalisesValues ? try loader.plainNorm(width: plan.valueLength, norm) : nil
        if case .softplus(let count) = plan.gate {
            attn_gate = try loader.linear(prefix + "attn_gate", inputs: width, outputs: count)
        } else {
            attn_gate = nil
        }
        indexer = try plan.indexer.map { plan throws(InferenceError) in
            try Indexer(prefix + "indexer.", plan, width: width, norm, &loader)
        }
        if indexer == nil {
            // Qwen 4's layers with a compression ratio of 0 have an indexer's tensors all the same.
            loader.ignore(["q_proj", "k_proj", "q_norm", "k_norm"].map { prefix + "indexer.\($0).weight" })
        }
        parameters = plan.parameters(sinks: try loader.optionalVector(prefix + "attn_sinks.weight", [plan.heads]))
    }

    /// See ``AttentionPlan/buffers``.
    struct Buffers {
        let q: Activations, k: Activations, v: Activations, attended: Activations
        /// Queries and gates as `attn_q` gives them, and the gates.
        let queriesAndGates: Activations?, gate: Activations?
        /// Queries and keys of the indexer.
        let indexQueries: Activations?, indexKeys: Activations?

        init(_ buffers: ArraySlice<Activations>) {
            let b = Array(buffers)
            (q, k, v, attended) = (b[0], b[1], b[2], b[3])
            (queriesAndGates, gate) = b.count > 4 && b[5].columns > 0 ? (b[4], b[5]) : (nil, nil)
            (indexQueries, indexKeys) = b.count > 6 ? (b[6], b[7]) : (nil, nil)
        }
    }
}

extension ForwardPass {
    /// y = output(gate ⊙ softmax(q · kᵀ) · v)
    func attend(
        _ attention: Attention, from h: Activations, _ layer: Int, _ buffers: Attention.Buffers, into y: Activations
    ) throws(InferenceError) {
        let (q, k, v, plan) = (buffers.q, buffers.k, buffers.v, attention.plan)
        projectHeads(attention, from: h, buffers)
        if !plan.normalisesAfterRotation { normaliseHeads(attention, buffers) }
        if let valueNorm = attention.valueNorm, attention.attn_k != nil {
            normalise(v, rows: rows, valueNorm, into: v)
        }
        if let rope = c.rope, let rotation = rotation(plan) {
            for heads in attention.attn_k == nil ? [q] : [q, k] {
                backend.rotate(
                    heads, rows: rows, headDimension: plan.keyLength, offset: 0, rotation: rotation,
                    pairing: rope.pairing)
            }
        }
        if plan.normalisesAfterRotation { normaliseHeads(attention, buffers) }
        if let temperature = workspace.temperature { backend.scaleRows(q, rows: rows, by: temperature) }
        guard let (segments, index) = keyValues(of: layer) else { return }
        if attention.attn_k != nil {
            backend.store(keys: k, values: v, segments, layer: index)
            storeCopies(keys: k, values: v, of: layer)
        }
        let visible = try attention.indexer.map { indexer throws(InferenceError) in
            try select(indexer, from: h, segments, layer, buffers)
        }
        backend.attend(q, visible ?? segments, layer: index, attention.parameters, into: buffers.attended)
        applyGate(attention, from: h, buffers)
        backend.multiply(buffers.attended, rows: rows, [attention.attn_output.into(y)])
    }

    private func projectHeads(_ attention: Attention, from h: Activations, _ buffers: Attention.Buffers) {
        let (q, k, v, plan) = (buffers.q, buffers.k, buffers.v, attention.plan)
        var products = [attention.attn_q.into(buffers.queriesAndGates.flatMap { $0.columns > 0 ? $0 : nil } ?? q)]
        if let attn_k = attention.attn_k { products.append(attn_k.into(k)) }
        if let attn_v = attention.attn_v { products.append(attn_v.into(v)) }
        backend.multiply(h, rows: rows, products)
        if plan.gate == .sigmoid, let both = buffers.queriesAndGates, let gate = buffers.gate {
            let length = plan.keyLength
            for (source, target) in [(0, q), (length, gate)] {
                backend.copyColumns(
                    both, rows: rows,
                    ColumnCopy(
                        count: plan.heads, of: length, from: source, every: 2 * length, to: 0, every: length),
                    into: target)
            }
        }
        if attention.attn_k != nil, attention.attn_v == nil {
            backend.copyColumns(k, rows: rows, ColumnCopy(plan.keyWidth), into: v)
        }
    }

    private func normaliseHeads(_ attention: Attention, _ buffers: Attention.Buffers) {
        if let norm = attention.attn_q_norm { normalise(buffers.q, rows: rows, norm, into: buffers.q) }
        if let norm = attention.attn_k_norm { normalise(buffers.k, rows: rows, norm, into: buffers.k) }
    }

    private func applyGate(_ attention: Attention, from h: Activations, _ buffers: Attention.Buffers) {
        guard let gate = buffers.gate else { return }
        if let attn_gate = attention.attn_gate {
            backend.multiply(h, rows: rows, [attn_gate.into(gate)])
            backend.activate(gate, rows: rows, .softplus)
            backend.scaleRows(buffers.attended, rows: rows, by: gate)
        } else {
            backend.gate(gate, buffers.attended, rows: rows, .sigmoid, into: buffers.attended)
        }
    }

    func rotation(_ plan: AttentionPlan) -> Activations? {
        switch plan.rotation {
        case .none: nil
        case .global: workspace.rotation
        case .local: workspace.localRotation
        }
    }
}
