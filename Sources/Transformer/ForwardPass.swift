// The forward pass of a decoder-only transformer (arXiv 1706.03762, as in 2302.13971).

import InferSupport
import InferTensors

/// One step of the model: a row of activations per token, from embeddings to logits.
struct ForwardPass {
    private let model: TransformerModel
    private let layout: StepLayout
    /// Where blocks are computed, in order: one place, or two.
    private let sites: [Site]
    /// Where the step has come to.
    private var site: Site

    init(_ model: TransformerModel, _ layout: StepLayout, at sites: [Site]) {
        self.model = model
        self.layout = layout
        self.sites = sites
        site = sites[0]
    }

    private var c: Configuration { model.configuration }
    private var backend: any Backend { site.backend }
    private var workspace: Workspace { site.workspace }
    private var rows: Int { layout.count }

    /// Runs all tokens of the step; the logits of `outputs` go to `logits`, outputs.count × vocabularySize, and the maxima of their
    /// blocks, where the product's are theirs, to `maxima`.
    ///
    /// - Throws: What a device does that has to be done with its blocks before the step goes on elsewhere.
    mutating func callAsFunction(
        _ tokens: [Int32], outputs: [Int], logits: Activations?, maxima: Activations? = nil
    ) throws(InferenceError) {
        backend.embed(tokens, model.token_embd, scale: c.embeddingScale, into: workspace.x)
        for (layer, block) in model.blk.enumerated() {
            if layer == site.blocks.upperBound { try move(to: sites[1], with: \.x, rows: rows) }
            attention(block, layer - site.blocks.lowerBound)
            feedForward(block)
        }
        guard let logits else { return }
        backend.gather(workspace.x, rows: outputs, into: workspace.h)
        try move(to: sites[0], with: \.h, rows: outputs.count)
        let h = workspace.h
        normalise(h, rows: outputs.count, model.output_norm, into: h)
        backend.multiply(h, rows: outputs.count, [model.output.into(logits, maxima: c.changesLogits ? nil : maxima)])
        if c.logitScale != 1 { backend.scale(logits, rows: outputs.count, by: c.logitScale) }
        if let cap = c.finalSoftCap { backend.softCap(logits, rows: outputs.count, cap: cap) }
    }

    /// Goes on at another site, with rows 0..<rows of some activations.
    private mutating func move(
        to next: Site, with activations: KeyPath<Workspace, Activations>, rows: Int
    ) throws(InferenceError) {
        guard next !== site else { return }
        let source = workspace[keyPath: activations]
        try backend.finish(reading: [source], rows: rows)
        let values = backend.read(source, rows: rows) { Array($0) }
        site = next
        backend.write(values, to: workspace[keyPath: activations])
    }

    /// x += attention(norm(x)); `layer` counts from the first of the site's blocks.
    private func attention(_ block: TransformerBlock, _ layer: Int) {
        let (h, q, k, v) = (workspace.h, workspace.q, workspace.k, workspace.v)
        let attention = block.attention
        normalise(workspace.x, rows: rows, block.attn_norm, into: h)
        backend.multiply(
            h, rows: rows, [attention.attn_q.into(q), attention.attn_k.into(k), attention.attn_v.into(v)])
        if let norm = attention.attn_q_norm { normalise(q, rows: rows, norm, into: q) }
        if let norm = attention.attn_k_norm { normalise(k, rows: rows, norm, into: k) }
        let local = block.isWindowed ? workspace.localRotation : nil
        if let rope = c.rope, let rotation = local ?? workspace.rotation {
            for heads in [q, k] {
                backend.rotate(
                    heads, rows: rows, headDimension: c.keyLength, rotation: rotation, pairing: rope.pairing)
            }
        }
        if let temperature = workspace.temperature { backend.scaleRows(q, rows: rows, by: temperature) }
        backend.store(keys: k, values: v, rows: rows, in: site.cache, layer: layer, firstSlot: layout.committed)
        backend.attend(q, layout, site.cache, layer: layer, attention.parameters, into: workspace.attended)
        backend.multiply(workspace.attended, rows: rows, [attention.attn_output.into(workspace.y)])
        addToStream(block.post_attention_norm)
    }

    /// x += feedForward(norm(x))
    private func feedForward(_ block: TransformerBlock) {
        normalise(workspace.x, rows: rows, block.ffn_norm, into: workspace.h)
        switch block.mlp {
        case .dense(let dense): feedForward(dense)
        case .experts(let experts): mixture(experts)
        }
        addToStream(block.post_ffw_norm)
    }

    /// y = down(activation(gate(h)) ⊙ up(h))
    private func feedForward(_ dense: FeedForward) {
        let (h, gate, up) = (workspace.h, workspace.gate, workspace.up)
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
    private func mixture(_ mixture: MixtureOfExperts) {
        guard let experts = workspace.experts else { return }
        let h = workspace.h
        backend.multiply(h, rows: rows, [mixture.ffn_gate_inp.into(experts.logits)])
        backend.route(experts.logits, rows: rows, c.routing, into: experts.routing)
        backend.multiplyExperts(
            h, rows: rows, [mixture.ffn_gate_exps.into(experts.gate), mixture.ffn_up_exps.into(experts.up)],
            experts.routing)
        backend.gate(
            experts.gate, experts.up, rows: rows * c.expertUsedCount, c.activation, into: experts.gate)
        backend.multiplyExperts(
            experts.gate, rows: rows, [mixture.ffn_down_exps.into(experts.down)], experts.routing)
        backend.combineExperts(experts.down, rows: rows, experts.routing, into: workspace.y)
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
