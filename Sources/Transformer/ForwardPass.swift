// The forward pass of a decoder-only transformer (arXiv 1706.03762, as in 2302.13971).

import InferSupport
import InferTensors

/// One step of the model: a row of activations per token, from embeddings to logits. Rows of all segments go through products and
/// norms together; a mixer reads each segment's own memory.
struct ForwardPass {
    private let model: TransformerModel
    private let tokens: [Int32]
    /// One per stage.
    private let workspaces: [Workspace]
    /// The segments as the attention layers of each memory group see them.
    private let attentionSegments: [[AttentionSegment]]
    /// Which of the model's stages the step has come to.
    private var stage = 0

    init(
        _ model: TransformerModel, _ segments: [Segment], _ layouts: [SegmentLayout], in workspaces: [Workspace]
    ) {
        self.model = model
        self.workspaces = workspaces
        tokens = segments.flatMap(\.tokens)
        attentionSegments = model.memoryGroups.indices.map { group in
            var firstRow = 0
            return zip(segments, layouts).map { segment, layout in
                defer { firstRow += layout.count }
                let memory = unsafeDowncast(segment.state.memories[group], to: KeyValueMemory.self)
                return AttentionSegment(firstRow: firstRow, layout: layout, cache: memory.cache)
            }
        }
        writePositions(segments, layouts)
    }

    private var c: Configuration { model.configuration }
    private var backend: any Backend { model.stages[stage].backend }
    private var workspace: Workspace { workspaces[stage] }
    private var rows: Int { tokens.count }

    /// What depends on positions alone goes to all stages: cosines and sines, and the queries' temperature.
    private func writePositions(_ segments: [Segment], _ layouts: [SegmentLayout]) {
        var rotation: [Float] = [], localRotation: [Float] = [], temperature: [Float] = []
        for (segment, layout) in zip(segments, layouts) {
            let positions = (0..<layout.count).map(layout.position)
            rotation += segment.state.rotary?.rotations(at: positions) ?? []
            localRotation += segment.state.localRotary?.rotations(at: positions) ?? []
            if let factors = c.attentionTemperature { temperature += positions.map(factors.factor) }
        }
        for (stage, workspace) in zip(model.stages, workspaces) {
            for (values, target) in [
                (rotation, workspace.rotation), (localRotation, workspace.localRotation),
                (temperature, workspace.temperature),
            ] {
                if let target { stage.backend.write(values, to: target) }
            }
        }
    }

    /// Runs all tokens of the step. The logits of the rows `outputs` go to `logits`, outputs.count × vocabularySize, and the maxima
    /// of their blocks to `maxima` where these are the product's own.
    ///
    /// - Throws: What a device throws that has to finish its blocks before the step goes on elsewhere.
    mutating func callAsFunction(
        outputs: [Int], logits: Activations?, maxima: Activations? = nil
    ) throws(InferenceError) {
        backend.embed(tokens, model.token_embd, scale: c.embeddingScale, into: workspace.x)
        for (layer, block) in model.blk.enumerated() {
            if layer == model.stages[stage].blocks.upperBound { try move(to: 1, with: \.x, rows: rows) }
            mix(block, layer)
            feedForward(block, layer)
        }
        guard let logits else { return }
        backend.gather(workspace.x, rows: outputs, into: workspace.h)
        try move(to: 0, with: \.h, rows: outputs.count)
        let h = workspace.h
        normalise(h, rows: outputs.count, model.output_norm, into: h)
        backend.multiply(h, rows: outputs.count, [model.output.into(logits, maxima: c.changesLogits ? nil : maxima)])
        if c.logitScale != 1 { backend.scale(logits, rows: outputs.count, by: c.logitScale) }
        if let cap = c.finalSoftCap { backend.softCap(logits, rows: outputs.count, cap: cap) }
    }

    /// Goes on at another stage, with rows 0..<rows of some activations.
    private mutating func move(
        to next: Int, with activations: KeyPath<Workspace, Activations>, rows: Int
    ) throws(InferenceError) {
        guard next != stage else { return }
        let source = workspace[keyPath: activations]
        try backend.finish(reading: [source], rows: rows)
        let values = backend.read(source, rows: rows) { Array($0) }
        stage = next
        backend.write(values, to: workspace[keyPath: activations])
    }

    /// x += mixer(norm(x))
    private func mix(_ block: TransformerBlock, _ layer: Int) {
        normalise(workspace.x, rows: rows, block.attn_norm, into: workspace.h)
        let place = model.workspaceShape.layers[layer].mixer
        switch block.mixer {
        case .attention(let attention): attend(attention, layer, workspace.attention[place])
        }
        addToStream(block.post_attention_norm)
    }

    /// y = output(softmax(q · kᵀ) · v)
    private func attend(_ attention: Attention, _ layer: Int, _ buffers: Workspace.AttentionBuffers) {
        let (h, q, k, v) = (workspace.h, buffers.q, buffers.k, buffers.v)
        backend.multiply(
            h, rows: rows, [attention.attn_q.into(q), attention.attn_k.into(k), attention.attn_v.into(v)])
        if let norm = attention.attn_q_norm { normalise(q, rows: rows, norm, into: q) }
        if let norm = attention.attn_k_norm { normalise(k, rows: rows, norm, into: k) }
        if let rope = c.rope, let rotation = rotation(attention.plan) {
            for heads in [q, k] {
                backend.rotate(
                    heads, rows: rows, headDimension: attention.plan.keyLength, rotation: rotation,
                    pairing: rope.pairing)
            }
        }
        if let temperature = workspace.temperature { backend.scaleRows(q, rows: rows, by: temperature) }
        let (group, index) = model.memoryPlaces[layer]
        let segments = attentionSegments[group]
        backend.store(keys: k, values: v, segments, layer: index)
        backend.attend(q, segments, layer: index, attention.parameters, into: buffers.attended)
        backend.multiply(buffers.attended, rows: rows, [attention.attn_output.into(workspace.y)])
    }

    private func rotation(_ plan: AttentionPlan) -> Activations? {
        switch plan.rotation {
        case .none: nil
        case .global: workspace.rotation
        case .local: workspace.localRotation
        }
    }

    /// x += feedForward(norm(x))
    private func feedForward(_ block: TransformerBlock, _ layer: Int) {
        normalise(workspace.x, rows: rows, block.ffn_norm, into: workspace.h)
        let place = model.workspaceShape.layers[layer].feedForward
        switch block.feedForward {
        case .dense(let dense): feedForward(dense, workspace.dense[place])
        case .experts(let experts): mixture(experts, workspace.experts[place])
        }
        addToStream(block.post_ffw_norm)
    }

    /// y = down(activation(gate(h)) ⊙ up(h))
    private func feedForward(_ dense: FeedForward, _ buffers: Workspace.FeedForwardBuffers) {
        let (h, gate, up) = (workspace.h, buffers.gate, buffers.up)
        if let ffn_gate = dense.ffn_gate {
            backend.multiply(h, rows: rows, [ffn_gate.into(gate), dense.ffn_up.into(up)])
            backend.gate(gate, up, rows: rows, c.activation, into: gate)
        } else {
            backend.multiply(h, rows: rows, [dense.ffn_up.into(gate)])
            backend.activate(gate, rows: rows, c.activation)
        }
        backend.multiply(gate, rows: rows, [dense.ffn_down.into(workspace.y)])
    }

    /// y = Σ weight(expert) · down(activation(gate(h)) ⊙ up(h)) over the chosen experts
    private func mixture(_ mixture: MixtureOfExperts, _ buffers: Workspace.ExpertBuffers) {
        let (h, plan, routing) = (workspace.h, mixture.plan, buffers.routing)
        backend.multiply(h, rows: rows, [mixture.ffn_gate_inp.into(buffers.logits)])
        backend.route(buffers.logits, rows: rows, plan.routing, into: routing)
        backend.multiplyExperts(
            h, rows: rows, [mixture.ffn_gate_exps.into(buffers.gate), mixture.ffn_up_exps.into(buffers.up)], routing)
        backend.gate(buffers.gate, buffers.up, rows: rows * plan.usedCount, c.activation, into: buffers.gate)
        backend.multiplyExperts(buffers.gate, rows: rows, [mixture.ffn_down_exps.into(buffers.down)], routing)
        backend.combineExperts(buffers.down, rows: rows, routing, into: workspace.y)
    }

    /// x += residualScale · norm(y)
    private func addToStream(_ norm: Norm?) {
        if let norm { normalise(workspace.y, rows: rows, norm, into: workspace.y) }
        #if SWIFTINFER_BREAK_SUMS
            // The inverse control of the exactness checks, which have to notice it: steps of several rows add in two parts.
            if rows > 1 { return addInHalves() }
        #endif
        backend.add(workspace.y, scale: c.residualScale, to: workspace.x, rows: rows)
    }

    #if SWIFTINFER_BREAK_SUMS
        private func addInHalves() {
            for _ in 0..<2 {
                backend.add(workspace.y, scale: c.residualScale / 2, to: workspace.x, rows: rows)
            }
        }
    #endif

    private func normalise(_ x: Activations, rows: Int, _ norm: Norm, into y: Activations) {
        switch norm.kind {
        case .rms(let epsilon): backend.rmsNorm(x, rows: rows, weight: norm.weight, epsilon: epsilon, into: y)
        case .layer(let epsilon):
            backend.layerNorm(x, rows: rows, weight: norm.weight, bias: norm.bias, epsilon: epsilon, into: y)
        }
    }
}
