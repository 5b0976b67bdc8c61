// The forward pass of a decoder-only transformer (arXiv 1706.03762, as in 2302.13971).

import InferSupport
import InferTensors

/// One step of the model: a row of activations per token, from embeddings to logits. Rows of all segments go through products and
/// norms together; a mixer reads each segment's own memory.
struct ForwardPass {
    private let model: TransformerModel
    let tokens: [Int32]
    /// The position of each row.
    private let positions: [Int]
    /// One per stage.
    private let workspaces: [Workspace]
    /// The segments as the layers of each memory group see them.
    private let memories: [SegmentMemories]
    /// Which of the model's stages the step has come to.
    private var stage = 0

    init(
        _ model: TransformerModel, _ segments: [Segment], _ layouts: [SegmentLayout], in workspaces: [Workspace]
    ) {
        self.model = model
        self.workspaces = workspaces
        tokens = segments.flatMap(\.tokens)
        positions = layouts.flatMap { layout in (0..<layout.count).map(layout.position) }
        memories = model.memoryGroups.indices.map { SegmentMemories(segments, layouts, group: $0) }
        writePositions(segments, layouts)
    }

    var c: Configuration { model.configuration }
    var backend: any Backend { model.stages[stage].backend }
    var workspace: Workspace { workspaces[stage] }
    var rows: Int { tokens.count }

    /// The caches of a layer's keys and values, and the layer's index in them.
    func keyValues(of layer: Int) -> ([AttentionSegment], layer: Int)? {
        guard let place = model.memoryPlaces[layer].keyValues, case .keyValues(let segments) = memories[place.group]
        else { return nil }
        return (segments, place.index)
    }

    /// Stores a layer's keys and values in the caches of later stages too, where layers read them.
    func storeCopies(keys: Activations, values: Activations, of layer: Int) {
        for copy in model.sharedCopies[layer] ?? [] {
            guard case .keyValues(let segments) = memories[copy.place.group], case .attention = model.blk[layer].mixer
            else { continue }
            let target = model.stages[copy.stage].backend
            let buffers = workspaces[copy.stage].mixers[model.workspaceShape.layers[layer].mixer]
            let room = Attention.Buffers(buffers[...])
            for (source, place) in [(keys, room.k), (values, room.v)] {
                target.write(backend.read(source, rows: rows) { Array($0) }, to: place)
            }
            target.store(keys: room.k, values: room.v, segments, layer: copy.place.index)
        }
    }

    /// A layer's recurrent states, and its index in them.
    func recurrentState(of layer: Int) -> ([RecurrentSegment], layer: Int)? {
        guard let place = model.memoryPlaces[layer].recurrent, case .recurrent(let segments) = memories[place.group]
        else { return nil }
        return (segments, place.index)
    }

    /// What the host keeps of each token for a layer, and the layer's index in it.
    func rowMemory(of layer: Int) -> ([RowSegment], layer: Int)? {
        guard let place = model.memoryPlaces[layer].rows, case .rows(let segments) = memories[place.group]
        else { return nil }
        return (segments, place.index)
    }

    /// The state of a layer's ``NGramEmbedding``, and its index in it.
    func ngramState(of layer: Int) -> ([RecurrentSegment], layer: Int)? {
        guard let place = model.memoryPlaces[layer].ngrams, case .recurrent(let segments) = memories[place.group]
        else { return nil }
        return (segments, place.index)
    }

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
            for routing in workspace.headRoutings.values { stage.backend.routeToAll(rows: rows, into: routing) }
        }
    }

    /// Runs all tokens of the step. The logits of the rows `outputs` go to `logits`, outputs.count × vocabularySize, and the maxima
    /// of their blocks to `maxima` where these are the product's own.
    ///
    /// - Throws: What a device throws that has to finish its blocks before the step goes on elsewhere.
    mutating func callAsFunction(
        outputs: [Int], logits: Activations?, maxima: Activations? = nil
    ) throws(InferenceError) {
        try runBlocks()
        guard let logits else { return }
        let h = try states(of: outputs)
        backend.multiply(h, rows: outputs.count, [model.output.into(logits, maxima: c.changesLogits ? nil : maxima)])
        if c.logitScale != 1 { backend.scale(logits, rows: outputs.count, by: c.logitScale) }
        if let cap = c.finalSoftCap { backend.softCap(logits, rows: outputs.count, cap: cap) }
    }

    /// Runs all tokens of the step through all blocks.
    mutating func runBlocks() throws(InferenceError) {
        embed()
        for (layer, block) in model.blk.enumerated() {
            if layer == model.stages[stage].blocks.upperBound { try move(to: 1, with: \.x, rows: rows) }
            if let ngrams = block.ngrams { try addNGrams(ngrams, layer) }
            try mix(block, layer)
            feedForward(block, layer)
            if let input = block.perLayerInput { addPerLayerInput(input) }
            if let scale = block.layer_output_scale { backend.scale(workspace.x, rows: rows, by: scale) }
        }
    }

    /// What the output matrix reads of the rows `outputs` after the last block, outputs.count × embeddingLength: the residual stream
    /// behind the last norm. It is at the first stage.
    mutating func states(of outputs: [Int]) throws(InferenceError) -> Activations {
        backend.gather(workspace.x, rows: outputs, into: workspace.gathered)
        try move(to: 0, with: \.gathered, rows: outputs.count)
        let h = workspace.h
        if let output_norm = model.output_norm { normalise(h, rows: outputs.count, output_norm, into: h) }
        if let output_hc = model.output_hc { mixStreams(output_hc, workspace.gathered, rows: outputs.count, into: h) }
        return h
    }

    /// Goes on at another stage, with rows 0..<rows of some activations.
    private mutating func move(
        to next: Int, with activations: KeyPath<Workspace, Activations>, rows: Int
    ) throws(InferenceError) {
        guard next != stage else { return }
        var moved = [workspace[keyPath: activations]]
        if next > stage, let perLayer = workspace.perLayer { moved.append(perLayer) }
        try backend.finish(reading: moved, rows: rows)
        let values = moved.map { source in backend.read(source, rows: rows) { Array($0) } }
        stage = next
        backend.write(values[0], to: workspace[keyPath: activations])
        if values.count > 1, let perLayer = workspace.perLayer { backend.write(values[1], to: perLayer) }
    }

    /// x = scale · embedding(token), and what other embeddings add
    private func embed() {
        if c.hyperConnections == nil {
            backend.embed(tokens, model.token_embd, scale: c.embeddingScale, into: workspace.x)
        } else {
            backend.embed(tokens, model.token_embd, scale: c.embeddingScale, into: workspace.h)
            repeatInStreams(workspace.h, into: workspace.x)
        }
        if let position_embd = model.position_embd {
            backend.embed(positions.map { Int32(clamping: $0) }, position_embd, scale: 1, into: workspace.y)
            backend.add(workspace.y, scale: 1, to: workspace.x, rows: rows)
        }
        if let perLayer = model.perLayerEmbedding { embedPerLayer(perLayer) }
    }

    /// The norm of the stream in h, or the stream itself where there is no norm; a mixture of several streams.
    private func input(_ norm: Norm?, _ connection: HyperConnection? = nil) -> Activations {
        if let connection {
            mixStreams(connection, workspace.x, rows: rows, into: workspace.h)
            return workspace.h
        }
        guard let norm else { return workspace.x }
        normalise(workspace.x, rows: rows, norm, into: workspace.h)
        return workspace.h
    }

    /// x += mixer(norm(x))
    private func mix(_ block: TransformerBlock, _ layer: Int) throws(InferenceError) {
        if case .none = block.mixer { return }
        let buffers = workspace.mixers[model.workspaceShape.layers[layer].mixer][...]
        let (h, y) = (input(block.attn_norm, block.hc_attn), workspace.y)
        switch block.mixer {
        case .none: return
        case .attention(let attention): try attend(attention, from: h, layer, Attention.Buffers(buffers), into: y)
        case .latentAttention(let attention):
            attend(attention, from: h, layer, LatentAttention.Buffers(buffers), into: y)
        case .deltaNet(let net): mix(net, from: h, layer, DeltaNet.Buffers(buffers), into: y)
        case .mamba2(let mamba): mix(mamba, from: h, layer, Mamba2.Buffers(buffers), into: y)
        case .shortConvolution(let convolution):
            mix(convolution, from: h, layer, ShortConvolution.Buffers(buffers), into: y)
        case .attentionAndMamba2(let attention, let mamba):
            let (first, second) = (
                buffers.prefix(mamba.plan.buffers.count), buffers.dropFirst(mamba.plan.buffers.count)
            )
            mix(mamba, from: h, layer, Mamba2.Buffers(first), into: y)
            addToStream(nil)
            try attend(attention, from: h, layer, Attention.Buffers(second), into: y)
        }
        addToStream(block.post_attention_norm)
    }

    /// x += feedForward(norm(x))
    private func feedForward(_ block: TransformerBlock, _ layer: Int) {
        if case .none = block.feedForward { return }
        let buffers = workspace.feedForwards[model.workspaceShape.layers[layer].feedForward]
        // Of parallel layers the second one reads what the first one read.
        let (h, y) = (block.isParallel ? workspace.h : input(block.ffn_norm, block.hc_ffn), workspace.y)
        switch block.feedForward {
        case .none: return
        case .dense(let dense): feedForward(dense, from: h, gate: buffers[0], up: buffers[1], into: y)
        case .experts(let experts): mixture(experts, from: h, MixtureOfExperts.Buffers(buffers[...]), into: y)
        case .denseAndExperts(let dense, let experts, let norms):
            guard let z = workspace.branch else { return }
            feedForward(dense, from: h, gate: buffers[0], up: buffers[1], into: z)
            normalise(z, rows: rows, norms.post_ffw_norm_1, into: z)
            mixture(
                experts, from: input(norms.pre_ffw_norm_2), MixtureOfExperts.Buffers(buffers.dropFirst(2)), into: y)
            normalise(y, rows: rows, norms.post_ffw_norm_2, into: y)
            backend.add(z, scale: 1, to: y, rows: rows)
        }
        addToStream(block.post_ffw_norm)
    }

    /// x += residualScale · norm(y)
    private func addToStream(_ norm: Norm?) {
        if let norm { normalise(workspace.y, rows: rows, norm, into: workspace.y) }
        #if SWIFTINFER_PLANT_FAULTS
        // The inverse control of the exactness checks, which have to notice it: steps of several rows add in two parts. In models
        // with recurrent layers the fault is in their states instead.
        if rows > 1, model.memoryGroups.allSatisfy({ $0.recurrentShape == nil }) { return addInHalves() }
        #endif
        if workspace.hyper != nil { return addToStreams() }
        backend.add(workspace.y, scale: c.residualScale, to: workspace.x, rows: rows)
    }

    #if SWIFTINFER_PLANT_FAULTS
    private func addInHalves() {
        for _ in 0..<2 {
            backend.add(workspace.y, scale: c.residualScale / 2, to: workspace.x, rows: rows)
        }
    }
    #endif

    func normalise(_ x: Activations, rows: Int, _ norm: Norm, into y: Activations) {
        switch norm.kind {
        case .rms(let epsilon):
            backend.rmsNorm(x, rows: rows, width: norm.width, weight: norm.weight, epsilon: epsilon, into: y)
        case .layer(let epsilon):
            backend.layerNorm(
                x, rows: rows, width: norm.width, weight: norm.weight, bias: norm.bias, epsilon: epsilon, into: y)
        }
    }
}

/// The memories of a step's segments for one group of layers.
enum SegmentMemories {
    case keyValues([AttentionSegment])
    case recurrent([RecurrentSegment])
    case rows([RowSegment])

    init(_ segments: [Segment], _ layouts: [SegmentLayout], group: Int) {
        var firstRow = 0
        var keyValues: [AttentionSegment] = [], recurrent: [RecurrentSegment] = [], rows: [RowSegment] = []
        for (segment, layout) in zip(segments, layouts) {
            switch segment.state.memories[group] {
            case let memory as KeyValueMemory:
                keyValues.append(AttentionSegment(firstRow: firstRow, layout: layout, cache: memory.cache))
            case let memory as RecurrentStateMemory:
                recurrent.append(
                    RecurrentSegment(
                        firstRow: firstRow, layout: layout, certainRows: segment.certainRows, memory: memory.state))
            case let memory as RowMemory:
                rows.append(
                    RowSegment(firstRow: firstRow, layout: layout, memory: memory, rotary: segment.state.rotary))
            default: break
            }
            firstRow += layout.count
        }
        self = !rows.isEmpty ? .rows(rows) : recurrent.isEmpty ? .keyValues(keyValues) : .recurrent(recurrent)
    }
}
