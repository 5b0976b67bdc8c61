// Nemotron-H (arXiv 2504.03624) and Nemotron 3 Nano: blocks of one layer each, Mamba-2, attention or feed-forward.

import InferSupport
import InferTensors

extension Architecture {
    static let nemotronH = Architecture("nemotron_h", ropePairing: nil) { configuration, keys throws(InferenceError) in
        configuration.activation = .squaredReLU
        try configuration.useMamba2InBlocksWithoutMixer(keys)
        try configuration.layers.dropAttentionBesideFeedForward(keys)
    }

    static let nemotronHMoE = Architecture("nemotron_h_moe", ropePairing: nil) {
        (configuration, keys) throws(InferenceError) in
        configuration.activation = .squaredReLU
        try configuration.useMamba2InBlocksWithoutMixer(keys)
        try configuration.layers.dropAttentionBesideFeedForward(keys)
        try configuration.useGating(keys, default: .sigmoid)
        let latent = try keys.optionalCount("moe_latent_size", in: 0...ArchitectureKeys.largestCount) ?? 0
        configuration.layers.forEachMixture {
            $0.routing.gating = .sigmoid
            $0.latentLength = latent == 0 ? nil : latent
        }
    }
}

extension [LayerPlan] {
    /// A block with a feed-forward layer has nothing else, whatever its number of heads.
    fileprivate mutating func dropAttentionBesideFeedForward(_ keys: ArchitectureKeys) throws(InferenceError) {
        for layer in indices {
            if case .none = self[layer].feedForward { continue }
            guard !keys.hasTensor(layer, "attn_q.weight"), !keys.hasTensor(layer, "ssm_in.weight") else {
                throw keys.malformed(
                    "feed_forward_length", "calls for a feed-forward layer in block \(layer), which has another kind")
            }
            self[layer].mixer = .none
        }
    }
}
