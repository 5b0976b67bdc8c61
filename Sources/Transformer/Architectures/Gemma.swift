// Gemma 1, 2 and 3 (arXiv 2403.08295, 2408.00118, 2503.19786).

import InferSupport
import InferTensors

extension Architecture {
    static let gemma = Architecture("gemma", ropePairing: .halves) { configuration, _ in
        configuration.useGemmaScales(layersOfLargest: nil)
    }

    static let gemma2 = Architecture("gemma2", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        configuration.useGemmaScales(layersOfLargest: 46)
        let window = try keys.optionalCount("attention.sliding_window", in: 1...(1 << 30)) ?? 4096
        try configuration.useWindow(of: window, keys, defaultPeriod: 2, hasOwnBase: true)
        let softCap = try keys.softCap("attn_logit_softcapping", default: 50)
        configuration.layers.forEachAttention { $1.softCap = softCap }
        configuration.finalSoftCap = try keys.softCap("final_logit_softcapping", default: 30)
    }

    static let gemma3 = Architecture("gemma3", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        configuration.useGemmaScales(layersOfLargest: 62)
        if let window = try keys.optionalCount("attention.sliding_window", in: 0...(1 << 30)), window > 0 {
            // Only the layers that see everything were stretched to longer contexts.
            configuration.localRope = configuration.rope
            configuration.localRope?.scaling = .none
            configuration.localRope?.base = try keys.positive("rope.freq_base_swa") ?? 10_000
            let isWindowed = try keys.windowedLayers(of: configuration.blockCount, defaultPeriod: 6)
            configuration.layers.useWindow(of: window, in: isWindowed, rotation: .local)
        }
        configuration.finalSoftCap = try keys.softCap("final_logit_softcapping", default: nil)
    }
}

extension ArchitectureKeys {
    /// A soft cap; 0 stands for none, which is not what an absent key means in every generation.
    func softCap(_ key: String, default value: Float?) throws(InferenceError) -> Float? {
        has(key) ? try positiveUnlessZero(key) : value
    }
}

extension Configuration {
    /// The embedding scale and activation of every Gemma. The largest model of a generation, known by its number of layers,
    /// scales attention by the width per head, not by the length of a key.
    fileprivate mutating func useGemmaScales(layersOfLargest: Int?) {
        activation = .gelu
        embeddingScale = Float(embeddingLength).squareRoot()
        guard blockCount == layersOfLargest else { return }
        let width = embeddingLength
        layers.forEachAttention { $1.scale = 1 / Float(width / $1.heads).squareRoot() }
    }
}
