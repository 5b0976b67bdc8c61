// Nemotron-H (arXiv 2504.03624) and Nemotron 3 Nano: blocks of one layer each, Mamba-2, attention or feed-forward.

import InferSupport
import InferTensors

extension Architecture {
    static let nemotronH = Architecture("nemotron_h", ropePairing: nil) { configuration, keys throws(InferenceError) in
        configuration.activation = .squaredReLU
        try configuration.useMamba2InBlocksWithoutMixer(keys)
        configuration.layers.dropAttentionBesideFeedForward()
    }

    static let nemotronHMoE = Architecture("nemotron_h_moe", ropePairing: nil) {
        (configuration, keys) throws(InferenceError) in
        configuration.activation = .squaredReLU
        try configuration.useMamba2InBlocksWithoutMixer(keys)
        configuration.layers.dropAttentionBesideFeedForward()
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
    fileprivate mutating func dropAttentionBesideFeedForward() {
        for layer in indices {
            if case .none = self[layer].feedForward { continue }
            self[layer].mixer = .none
        }
    }
}
