// What each block of a model computes, and in which dimensions.

import InferGGUF
import InferSupport
package import InferTensors

/// One block of a model: a mixer, which reads other tokens, and a feed-forward layer, which does not.
///
/// The plan is read once, from the metadata and from the tensors that exist. Everything that depends on a block's shape follows
/// from it: which tensors are loaded, which memory a sequence keeps, how large the workspace is, what a device must hold.
package struct LayerPlan: Sendable {
    /// How a token reads the tokens before it.
    package enum Mixer: Sendable {
        /// Softmax attention over cached keys and values.
        case attention(AttentionPlan)
    }

    /// How a token's own activations are transformed.
    package enum FeedForwardKind: Sendable {
        /// One feed-forward layer of this inner width.
        case dense(innerLength: Int)
        /// A router chooses among several.
        case experts(ExpertsPlan)
    }

    /// How a token reads the tokens before it.
    package var mixer: Mixer
    /// How a token's own activations are transformed.
    package var feedForward: FeedForwardKind
}

/// One layer of softmax attention with grouped heads.
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
}

/// One mixture of experts.
package struct ExpertsPlan: Sendable {
    /// Experts of the layer.
    package var count: Int
    /// Experts that a token uses.
    package var usedCount: Int
    /// Inner width of an expert.
    package var innerLength: Int
    /// How the router's outputs become weights.
    package var routing: RoutingParameters
}

extension [LayerPlan] {
    /// Applies `body` to the attention of each layer that has one.
    mutating func forEachAttention(_ body: (_ layer: Int, inout AttentionPlan) -> Void) {
        for layer in indices {
            guard case .attention(var plan) = self[layer].mixer else { continue }
            body(layer, &plan)
            self[layer].mixer = .attention(plan)
        }
    }

    /// Applies `body` to the routing of each mixture of experts.
    mutating func forEachRouting(_ body: (inout RoutingParameters) -> Void) {
        for layer in indices {
            guard case .experts(var plan) = self[layer].feedForward else { continue }
            body(&plan.routing)
            self[layer].feedForward = .experts(plan)
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
            keys.counts("attention.head_count", of: blockCount, in: 1...65_536), "attention.head_count")
        let keyValueHeads = try keys.counts("attention.head_count_kv", of: blockCount, in: 1...65_536) ?? heads
        let keyLength = try keys.optionalCount("attention.key_length", in: 1...65_536)
        let valueLength = try keys.optionalCount("attention.value_length", in: 1...65_536)
        let expertCount = try keys.optionalCount("expert_count", in: 0...65_536) ?? 0
        let expertUsedCount = try keys.optionalCount("expert_used_count", in: 0...65_536) ?? 0
        guard expertUsedCount <= expertCount, expertCount == 0 || expertUsedCount > 0 else {
            throw keys.malformed(
                "expert_used_count", "is \(expertUsedCount), with an expert_count of \(expertCount)")
        }
        var routing = RoutingParameters(gating: .softmaxThenTop, normalisesWeights: true)
        if let scale = try keys.positiveUnlessZero("expert_weights_scale") { routing.weightScale = scale }
        var plans: [LayerPlan] = []
        for layer in 0..<blockCount {
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
            var feedForward = FeedForwardKind.dense(innerLength: lengths?[layer] ?? 0)
            if file.tensor("blk.\(layer).ffn_gate_inp.weight") != nil {
                guard expertCount > 0 else {
                    throw InferenceError(
                        .malformedModel,
                        "\(file.path): tensor blk.\(layer).ffn_gate_inp.weight calls for expert_count, which is absent")
                }
                feedForward = .experts(
                    ExpertsPlan(
                        count: expertCount, usedCount: expertUsedCount, innerLength: try expertLength(layer, file),
                        routing: routing))
            }
            plans.append(LayerPlan(mixer: .attention(attention), feedForward: feedForward))
        }
        return plans
    }

    /// The experts' inner width is that of the down matrix; files differ in which key tells it.
    private static func expertLength(_ layer: Int, _ file: GGUFFile) throws(InferenceError) -> Int {
        let name = "blk.\(layer).ffn_down_exps.weight"
        guard let tensor = file.tensor(name) else {
            throw InferenceError(.malformedModel, "\(file.path): tensor \(name) is absent")
        }
        return tensor.columns
    }
}

extension Configuration {
    /// Gives the layers that the file or `defaultPeriod` names a window, and a rotation of their own where the file has a base
    /// for it.
    mutating func useWindow(
        of length: Int, _ keys: ArchitectureKeys, defaultPeriod: Int
    ) throws(InferenceError) {
        if let base = try keys.positive("rope.freq_base_swa") {
            localRope = rope
            localRope?.base = base
        }
        layers.useWindow(
            of: length, in: try keys.windowedLayers(of: blockCount, defaultPeriod: defaultPeriod),
            rotation: localRope == nil ? .global : .local)
    }
}
