// DeepSeek-V2 and -V3 (arXiv 2405.04434, 2412.19437), which GLM-4.7-Flash and others are stored as, and Kimi Linear (arXiv 2510.26692).

import InferSupport
import InferTensors

extension Architecture {
    static let deepseek2 = Architecture("deepseek2", ropePairing: .adjacent) {
        (configuration, keys) throws(InferenceError) in
        let plan = try LatentAttentionPlan(&configuration, keys, rotates: true)
        for layer in configuration.layers.indices { configuration.layers[layer].mixer = .latentAttention(plan) }
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
        try configuration.useGating(keys, default: .sigmoid)
        configuration.layers.forEachMixture { $0.routing.normalisesWeights = true }
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
        let rank = try keys.optionalCount("attention.q_lora_rank", in: 0...ArchitectureKeys.largestCount)
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
            heads: heads, queryRank: rank == 0 ? nil : rank, latentLength: latent, plainLength: keyLength - rotated,
            rotatedLength: rotated, valueLength: valueLength, scale: 1 / Float(keyLength).squareRoot(),
            rotates: rotates)
        guard rotates, let pairing = Architecture.deepseek2.ropePairing else { return }
        c.rope = try RotaryConfiguration(
            keys, dimensions: rotated, contextLength: c.contextLength, pairing: pairing)
        if case .yarn(let factor, let fast, let slow, let multiplier)? = c.rope?.scaling, multiplier != 0 {
            // What YaRN would multiply cosines and sines by is in the scale of scores instead; files store a tenth of the paper's
            // multiple.
            c.rope?.scaling = .yarn(factor: factor, betaFast: fast, betaSlow: slow, logMultiplier: 1)
            let sharpness = 1 + multiplier * logarithm(factor)
            scale *= sharpness * sharpness
        }
    }
}

extension Configuration {
    /// Reads `expert_gating_func`, `expert_weights_norm` and the groups of experts, as DeepSeek and its relatives have them.
    mutating func useGating(
        _ keys: ArchitectureKeys, default gating: RoutingParameters.Gating, normalises: Bool = false
    ) throws(InferenceError) {
        let gating: RoutingParameters.Gating =
            switch try keys.optionalCount("expert_gating_func", in: 0...16) ?? 0 {
            case 0: gating
            case 1: .softmaxThenTop
            case 2: .sigmoid
            case let other:
                throw keys.unsupported("expert_gating_func", "is \(other), which is not supported")
            }
        let normalises = try keys.bool("expert_weights_norm") ?? normalises
        let groups = try keys.optionalCount("expert_group_count", in: 0...65_536) ?? 0
        let groupsUsed = try keys.optionalCount("expert_group_used_count", in: 0...65_536) ?? 0
        for layer in layers {
            guard let plan = layer.experts, groups > 1 else { continue }
            guard plan.count.isMultiple(of: groups), (1...groups).contains(groupsUsed),
                plan.count / groups * groupsUsed >= plan.usedCount
            else {
                throw keys.malformed(
                    "expert_group_count", "is \(groups), of which \(groupsUsed) are used, with \(plan.count) experts")
            }
        }
        layers.forEachMixture {
            $0.routing.gating = gating
            $0.routing.normalisesWeights = normalises
            $0.routing.smallestSum = 6.103515625e-5
            if groups > 1 { ($0.routing.groupCount, $0.routing.groupsUsed) = (groups, groupsUsed) }
        }
    }
}
