// DeepSeek-V2 and -V3 (arXiv 2405.04434, 2412.19437), which GLM-4.7-Flash and others are stored as, and Kimi Linear (arXiv 2510.26692).

import InferSupport
import InferTensors

extension Architecture {
    static let deepseek2 = Architecture("deepseek2", ropePairing: .adjacent) {
        (configuration, keys) throws(InferenceError) in
        let plan = try LatentAttentionPlan(&configuration, keys, rotates: true)
        for layer in configuration.layers.indices { configuration.layers[layer].mixer = .latentAttention(plan) }
        if let scale = try keys.positiveUnlessZero("attention.temperature_scale") {
            configuration.attentionTemperature = AttentionTemperature(
                scale: scale, length: try keys.count("attention.temperature_length", in: 1...(1 << 30)))
        }
        // GLM-4.7-Flash is stored without the key, and known by its size.
        let isGLM = [47, 48].contains(configuration.blockCount) && configuration.vocabularySize == 154_880
        try configuration.useGating(keys, default: isGLM ? .sigmoid : .softmaxThenTop)
    }

    static let kimiLinear = Architecture("kimi-linear", ropePairing: nil) {
        (configuration, keys) throws(InferenceError) in
        let latent = try LatentAttentionPlan(&configuration, keys, rotates: false)
        let keyValueHeads = try keys.required(
            keys.counts("attention.head_count_kv", of: configuration.blockCount, in: 1...65_536, orZero: true),
            "attention.head_count_kv")
        let length = try keys.count("kda.head_dim", in: 1...65_536)
        let delta = DeltaNetPlan(
            keyHeads: latent.heads, valueHeads: latent.heads, keyLength: length, valueLength: length,
            taps: try keys.count("ssm.conv_kernel", in: 1...64), keyHeadsAreTiled: false, decaysPerKey: true,
            gate: .sigmoid)
        for layer in configuration.layers.indices {
            configuration.layers[layer].mixer =
                keyValueHeads[layer] == 0 ? .deltaNet(delta) : .latentAttention(latent)
        }
        try configuration.useGating(keys, default: .sigmoid, normalises: true)
    }
}

extension LatentAttentionPlan {
    /// Reads the keys of latent attention. Old files give the lengths of an expanded head as `attention.key_length`.
    fileprivate init(
        _ c: inout Configuration, _ keys: ArchitectureKeys, rotates: Bool
    ) throws(InferenceError) {
        let range = 1...65_536
        let heads = try keys.required(
            keys.counts("attention.head_count", of: c.blockCount, in: 1...65_536)?.max(), "attention.head_count")
        // Which of the two forms a block has, its tensors show; DeepSeek-V2-Lite's files may tell a rank they do not have.
        let rank =
            keys.hasTensor(0, "attn_q_a.weight")
            ? try keys.count("attention.q_lora_rank", in: 1...ArchitectureKeys.largestCount) : nil
        let latent = try keys.count("attention.kv_lora_rank", in: range)
        let rotated = try keys.count("rope.dimension_count", in: range)
        func length(_ key: String) throws(InferenceError) -> Int {
            try keys.count(keys.has(key + "_mla") ? key + "_mla" : key, in: range)
        }
        let (keyLength, valueLength) = (try length("attention.key_length"), try length("attention.value_length"))
        guard keyLength > rotated else {
            throw keys.malformed(
                "rope.dimension_count",
                "is \(rotated), but a key has a length of \(keyLength) (attention.key_length_mla)")
        }
        self.init(
            heads: heads, queryRank: rank, latentLength: latent, plainLength: keyLength - rotated,
            rotatedLength: rotated, valueLength: valueLength, scale: 1 / Float(keyLength).squareRoot(),
            rotates: rotates)
        guard rotates, let pairing = Architecture.deepseek2.ropePairing else { return }
        c.rope = try RotaryConfiguration(
            keys, dimensions: rotated, contextLength: c.contextLength, pairing: pairing)
        // Files store a tenth of the paper's multiple.
        let multiplier = try keys.positiveUnlessZero("rope.scaling.yarn_log_multiplier") ?? 0
        var sharpness = c.rope?.attentionFactor ?? 1
        switch c.rope?.scaling {
        case .yarn(let factor, let fast, let slow, _) where multiplier != 0:
            // What YaRN would multiply cosines and sines by is in the scale of scores instead.
            c.rope?.scaling = .yarn(factor: factor, betaFast: fast, betaSlow: slow, logMultiplier: 1)
            sharpness *= 1 + multiplier * logarithm(factor)
        case .yarn(let factor, _, _, _), .linear(let factor):
            sharpness *= (1 + 0.1 * logarithm(factor)) * (1 + multiplier * logarithm(factor))
        case .some(.none), nil: break
        }
        scale *= sharpness * sharpness
    }
}

extension Configuration {
    /// Reads `expert_gating_func`, and what DeepSeek and its relatives make of the weights after that.
    ///
    /// - Parameters:
    ///   - normalises: Whether the weights are divided by their sum; nil where `expert_weights_norm` says so.
    ///   - scales: Whether the architecture has a scale, `expert_weights_scale`.
    mutating func useGating(
        _ keys: ArchitectureKeys, default gating: RoutingParameters.Gating, normalises: Bool? = nil,
        scales: Bool = true
    ) throws(InferenceError) {
        let gating: RoutingParameters.Gating =
            switch try keys.optionalCount("expert_gating_func", in: 0...16) ?? 0 {
            case 0: gating
            case 1: .softmaxThenTop
            case 2: .sigmoid
            case 3: .topThenSoftmax
            case let other:
                throw keys.unsupported("expert_gating_func", "is \(other), which is not supported")
            }
        let saysSo = try keys.bool("expert_weights_norm") ?? false
        let normalises = normalises ?? saysSo
        let scale = scales ? try keys.positiveUnlessZero("expert_weights_scale") : nil
        layers.forEachMixture {
            $0.routing.gating = gating
            $0.routing.normalisesWeights = normalises
            $0.routing.weightScale = scale ?? 1
        }
    }
}
