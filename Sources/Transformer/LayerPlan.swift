// What each block of a model computes, and in which dimensions.

import InferGGUF
import InferSupport
package import InferTensors

/// One block of a model: a mixer, which reads other tokens, and a feed-forward layer, which does not. Some blocks have only one of
/// them.
///
/// The plan is read once, from the metadata and from the tensors that exist. Everything that depends on a block's shape follows
/// from it: which tensors are loaded, which memory a sequence keeps, how large the workspace is, what a device must hold.
package struct LayerPlan: Sendable {
    /// How a token reads the tokens before it.
    package enum Mixer: Sendable {
        /// Not at all.
        case none
        /// Softmax attention over cached keys and values.
        case attention(AttentionPlan)
        /// Softmax attention over cached latent vectors.
        case latentAttention(LatentAttentionPlan)
        /// A linear attention with the delta rule.
        case deltaNet(DeltaNetPlan)
        /// A state-space layer.
        case mamba2(Mamba2Plan)
        /// A gated convolution over a few tokens.
        case shortConvolution(ShortConvolutionPlan)
        /// Attention and a state-space layer side by side, whose outputs are added (Falcon-H1).
        case attentionAndMamba2(AttentionPlan, Mamba2Plan)
    }

    /// How a token's own activations are transformed.
    package enum FeedForwardKind: Sendable {
        /// Not at all.
        case none
        /// One feed-forward layer of this inner width.
        case dense(innerLength: Int)
        /// A router chooses among several.
        case experts(ExpertsPlan)
        /// Both, side by side (Gemma 4).
        case denseAndExperts(innerLength: Int, ExpertsPlan)
    }

    /// How a token reads the tokens before it.
    package var mixer: Mixer
    /// How a token's own activations are transformed.
    package var feedForward: FeedForwardKind
    /// The embeddings of the last tokens together that the block adds to the stream first; nil for none (Qwen 4).
    var ngrams: NGramPlan?

    init(mixer: Mixer, feedForward: FeedForwardKind) {
        (self.mixer, self.feedForward) = (mixer, feedForward)
    }

    /// The buffers that a step needs for the mixer.
    var mixerBuffers: [BufferShape] {
        switch mixer {
        case .none: []
        case .attention(let plan): plan.buffers
        case .latentAttention(let plan): plan.buffers
        case .deltaNet(let plan): plan.buffers
        case .mamba2(let plan): plan.buffers
        case .shortConvolution(let plan): plan.buffers
        // The last one takes the first one's output.
        case .attentionAndMamba2(let attention, let mamba): mamba.buffers + attention.buffers
        }
    }

    /// The buffers that a step needs for the feed-forward layer of a stream of `width` values.
    func feedForwardBuffers(width: Int) -> [BufferShape] {
        switch feedForward {
        case .none: []
        case .dense(let inner): FeedForward.buffers(inner: inner)
        case .experts(let plan): plan.buffers(width: width)
        case .denseAndExperts(let inner, let plan): FeedForward.buffers(inner: inner) + plan.buffers(width: width)
        }
    }

    /// The mixture of experts, if there is one.
    var experts: ExpertsPlan? {
        switch feedForward {
        case .experts(let plan), .denseAndExperts(_, let plan): plan
        case .none, .dense: nil
        }
    }

    /// The softmax attention, if there is one.
    package var attention: AttentionPlan? {
        switch mixer {
        case .attention(let plan), .attentionAndMamba2(let plan, _): plan
        default: nil
        }
    }

    /// The cache of keys and values for `layers` such layers; nil for a layer without a cache of its own.
    package func cacheShape(layers: Int, slots: Int, type: KVCacheType) -> KVCacheShape? {
        if case .latentAttention(let plan) = mixer { return plan.cacheShape(layers: layers, slots: slots, type: type) }
        guard let attention, attention.sharedLayer == nil else { return nil }
        return attention.cacheShape(layers: layers, slots: slots, type: type)
    }

    /// The state of `layers` such layers; nil for a layer without a state.
    package func recurrentShape(layers: Int) -> RecurrentShape? {
        switch mixer {
        case .deltaNet(let plan): plan.recurrentShape(layers: layers)
        case .mamba2(let plan), .attentionAndMamba2(_, let plan): plan.recurrentShape(layers: layers)
        case .shortConvolution(let plan): plan.recurrentShape(layers: layers)
        case .none, .attention, .latentAttention: nil
        }
    }

    /// The states of the layer: its mixer's, and that of the convolution over its n-gram embeddings.
    package var recurrentShapes: [RecurrentShape] {
        [recurrentShape(layers: 1), ngrams?.recurrentShape].compactMap { $0 }
    }

    /// What the host keeps of each token for the layer; nil for nothing.
    var rowMemoryShape: RowMemoryShape? {
        if let indexer = attention?.indexer {
            return RowMemoryShape(width: indexer.keyLength, groupLength: indexer.groupLength)
        }
        return ngrams.map { _ in RowMemoryShape(width: 1, groupLength: nil) }
    }

    /// What kind of block it is, in words: its mixer and its feed-forward layer.
    package var kind: String {
        let mixer: String? =
            switch mixer {
            case .none: nil
            case .attention(let plan): Self.kind(of: plan)
            case .latentAttention: "latent attention"
            case .deltaNet(let plan): plan.decaysPerKey ? "Kimi delta attention" : "gated delta net"
            case .mamba2: "Mamba-2"
            case .shortConvolution: "short convolution"
            case .attentionAndMamba2(let plan, _): Self.kind(of: plan) + " beside Mamba-2"
            }
        let feedForward: String? =
            switch feedForward {
            case .none: nil
            case .dense: mixer == nil ? "feed-forward" : nil
            case .experts(let plan): plan.sharedLength == nil ? "experts" : "experts and a shared one"
            case .denseAndExperts: "dense and experts"
            }
        return [mixer, feedForward, ngrams.map { _ in "embeddings of n-grams" }].compactMap { $0 }.joined(
            separator: ", ")
    }

    private static func kind(of plan: AttentionPlan) -> String {
        (plan.gate == nil ? "attention" : "gated attention") + (plan.window == nil ? "" : " in a window")
            + (plan.sharedLayer == nil ? "" : " on shared keys") + (plan.indexer == nil ? "" : " on indexed keys")
    }
}

extension [LayerPlan] {
    /// Applies `body` to the attention of each layer that has one.
    mutating func forEachAttention(_ body: (_ layer: Int, inout AttentionPlan) -> Void) {
        for layer in indices {
            switch self[layer].mixer {
            case .attention(var plan):
                body(layer, &plan)
                self[layer].mixer = .attention(plan)
            case .attentionAndMamba2(var plan, let mamba):
                body(layer, &plan)
                self[layer].mixer = .attentionAndMamba2(plan, mamba)
            default: continue
            }
        }
    }

    /// Applies `body` to each mixture of experts.
    mutating func forEachMixture(_ body: (inout ExpertsPlan) -> Void) {
        for layer in indices {
            switch self[layer].feedForward {
            case .experts(var plan):
                body(&plan)
                self[layer].feedForward = .experts(plan)
            case .denseAndExperts(let inner, var plan):
                body(&plan)
                self[layer].feedForward = .denseAndExperts(innerLength: inner, plan)
            case .none, .dense: continue
            }
        }
    }

    /// Gives the layers that `isWindowed` marks a window of `length` positions, and `rotation`.
    mutating func useWindow(of length: Int, in isWindowed: [Bool], rotation: AttentionPlan.Rotation) {
        forEachAttention { layer, plan in
            guard isWindowed[layer] else { return }
            plan.window = length
            if plan.rotation != .none { plan.rotation = rotation }
        }
    }
}

extension LayerPlan {
    /// The plans of all blocks as the keys that all architectures share describe them. A block is a mixture of experts if it has
    /// a router.
    ///
    /// - Throws: `malformedModel` naming the key or tensor that is absent or out of range.
    static func all(
        _ file: GGUFFile, _ keys: ArchitectureKeys, blockCount: Int, embeddingLength: Int,
        rotation: AttentionPlan.Rotation
    ) throws(InferenceError) -> [LayerPlan] {
        let lengths = try keys.counts("feed_forward_length", of: blockCount, in: 0...ArchitectureKeys.largestCount)
        let heads = try keys.required(
            keys.counts("attention.head_count", of: blockCount, in: 1...65_536, orZero: true), "attention.head_count")
        // 0 stands for a block without attention.
        let keyValueHeads =
            try keys.counts("attention.head_count_kv", of: blockCount, in: 1...65_536, orZero: true) ?? heads
        let keyLength = try keys.optionalCount("attention.key_length", in: 1...65_536)
        let valueLength = try keys.optionalCount("attention.value_length", in: 1...65_536)
        let expertCount = try keys.optionalCount("expert_count", in: 0...65_536) ?? 0
        let usedCounts = try keys.counts("expert_used_count", of: blockCount, in: 0...65_536)
        let mostUsed = usedCounts?.max() ?? 0
        guard mostUsed <= expertCount, expertCount == 0 || mostUsed > 0 else {
            throw keys.malformed("expert_used_count", "is \(mostUsed), with an expert_count of \(expertCount)")
        }
        let routing = try RoutingParameters(keys, expertCount: expertCount, usedCount: mostUsed)
        var plans: [LayerPlan] = []
        for layer in 0..<blockCount {
            let inner = lengths?[layer] ?? 0
            var plan = LayerPlan(mixer: .none, feedForward: .none)
            if file.tensor("blk.\(layer).ffn_gate_inp.weight") != nil {
                guard expertCount > 0 else {
                    throw InferenceError(
                        .malformedModel,
                        "\(file.path): tensor blk.\(layer).ffn_gate_inp.weight calls for expert_count, which is absent")
                }
                guard let usedCount = usedCounts?[layer], usedCount > 0 else {
                    throw keys.malformed("expert_used_count", "is 0 for layer \(layer), which has experts")
                }
                // Files differ in which key tells the experts' inner widths, or that of the shared one.
                let experts = ExpertsPlan(
                    count: expertCount, usedCount: usedCount, innerLength: try expertLength(layer, file),
                    routing: routing, sharedLength: file.tensor("blk.\(layer).ffn_down_shexp.weight")?.columns)
                plan.feedForward = .experts(experts)
            } else if inner > 0 || file.tensor("blk.\(layer).ffn_down.weight") != nil {
                plan.feedForward = .dense(innerLength: inner)
            }
            defer { plans.append(plan) }
            guard heads[layer] > 0, keyValueHeads[layer] > 0 else { continue }
            guard heads[layer].isMultiple(of: keyValueHeads[layer]) else {
                throw keys.malformed(
                    "attention.head_count_kv",
                    "is \(keyValueHeads[layer]), which does not divide the \(heads[layer]) heads")
            }
            let headLength = embeddingLength / heads[layer]
            guard keyLength ?? headLength > 0, valueLength ?? headLength > 0 else {
                throw keys.malformed(
                    "attention.head_count", "is \(heads[layer]), more than embedding_length, \(embeddingLength)")
            }
            let attention = AttentionPlan(
                heads: heads[layer], keyValueHeads: keyValueHeads[layer], keyLength: keyLength ?? headLength,
                valueLength: valueLength ?? headLength, scale: 1 / Float(keyLength ?? headLength).squareRoot(),
                softCap: nil, window: nil, rotation: rotation)
            plan.mixer = .attention(attention)
        }
        return plans
    }

    /// The experts' inner width is that of the down matrix.
    private static func expertLength(_ layer: Int, _ file: GGUFFile) throws(InferenceError) -> Int {
        let name = "blk.\(layer).ffn_down_exps.weight"
        guard let tensor = file.tensor(name) else {
            throw InferenceError(.malformedModel, "\(file.path): tensor \(name) is absent")
        }
        return tensor.columns
    }
}

extension RoutingParameters {
    /// What all mixtures have alike: softmax over all experts, or over those of the best groups.
    fileprivate init(_ keys: ArchitectureKeys, expertCount: Int, usedCount: Int) throws(InferenceError) {
        self.init(gating: .softmaxThenTop, normalisesWeights: true)
        smallestSum = 6.103515625e-5
        let groups = try keys.optionalCount("expert_group_count", in: 0...65_536) ?? 0
        let groupsUsed = try keys.optionalCount("expert_group_used_count", in: 0...65_536) ?? 0
        guard groups > 1, expertCount > 0 else { return }
        guard expertCount.isMultiple(of: groups), (1...groups).contains(groupsUsed),
            expertCount / groups * groupsUsed >= usedCount
        else {
            throw keys.malformed(
                "expert_group_count", "is \(groups), of which \(groupsUsed) are used, with \(expertCount) experts")
        }
        (groupCount, self.groupsUsed) = (groups, groupsUsed)
    }
}

extension Configuration {
    /// Gives the layers that the file or `defaultPeriod` names a window, and a rotation of their own where the file has a base
    /// for it that the architecture reads: `hasOwnBase`, or where theirs is not extended to longer contexts: `plainRotation`.
    mutating func useWindow(
        of length: Int, _ keys: ArchitectureKeys, defaultPeriod: Int, firstIsFull: Bool = false,
        hasOwnBase: Bool = false, plainRotation: Bool = false
    ) throws(InferenceError) {
        let base = hasOwnBase ? try keys.positive("rope.freq_base_swa") : nil
        if base != nil || plainRotation {
            localRope = rope
            if let base { localRope?.base = base }
            if plainRotation {
                localRope?.scaling = .none
                localRope?.attentionFactor = 1
            }
        }
        layers.useWindow(
            of: length,
            in: try keys.windowedLayers(of: blockCount, defaultPeriod: defaultPeriod, firstIsFull: firstIsFull),
            rotation: localRope == nil ? .global : .local)
    }
}
