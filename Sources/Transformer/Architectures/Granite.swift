// Granite 3 and 4 (arXiv 2203.03466's µP parametrisation): Llama with four scalars, dense, with experts, and with Mamba-2 layers.

import InferSupport
import InferTensors

extension Architecture {
    static let granite = Architecture("granite", ropePairing: .adjacent) { configuration, keys throws(InferenceError) in
        try configuration.useGraniteScales(keys)
        try configuration.useGraniteRotation(keys)
    }

    static let granitemoe = Architecture("granitemoe", ropePairing: .adjacent) {
        (configuration, keys) throws(InferenceError) in
        try configuration.useGraniteScales(keys)
    }

    static let granitehybrid = Architecture("granitehybrid", ropePairing: .adjacent) {
        (configuration, keys) throws(InferenceError) in
        try configuration.useGraniteScales(keys, needsLogitScale: false)
        try configuration.useGraniteRotation(keys)
        try configuration.useMamba2InBlocksWithoutMixer(keys)
    }
}

extension Configuration {
    fileprivate mutating func useGraniteScales(
        _ keys: ArchitectureKeys, needsLogitScale: Bool = true
    ) throws(InferenceError) {
        if let scale = try keys.positiveUnlessZero("embedding_scale") { embeddingScale = scale }
        if let scale = try keys.positiveUnlessZero("residual_scale") { residualScale = scale }
        if let scale = try keys.positiveUnlessZero("attention.scale") { layers.forEachAttention { $1.scale = scale } }
        guard needsLogitScale || keys.has("logit_scale") else { return }
        let divisor = try keys.required(keys.positive("logit_scale"), "logit_scale")
        logitScale = 1 / divisor
        guard logitScale.isFinite else { throw keys.malformed("logit_scale", "is \(divisor), too small") }
    }

    /// Files say by a key of another purpose that there is no rotation.
    fileprivate mutating func useGraniteRotation(_ keys: ArchitectureKeys) throws(InferenceError) {
        if try keys.bool("rope.scaling.finetuned") == false { rope = nil }
    }

    /// Makes the mixer of all blocks that have no attention heads, and a state-space layer's tensors, Mamba-2.
    mutating func useMamba2InBlocksWithoutMixer(_ keys: ArchitectureKeys) throws(InferenceError) {
        let plan = try Mamba2Plan(keys)
        for layer in layers.indices where keys.hasTensor(layer, "ssm_in.weight") {
            guard case .none = layers[layer].mixer else { continue }
            layers[layer].mixer = .mamba2(plan)
        }
    }
}
