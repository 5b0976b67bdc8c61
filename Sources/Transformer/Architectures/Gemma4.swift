// Gemma 4: windowed and full layers with heads of different widths, per-layer embeddings, shared keys and values, experts.

import InferSupport
import InferTensors

extension Architecture {
    static let gemma4 = Architecture("gemma4", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        configuration.activation = .gelu
        configuration.embeddingScale = Float(configuration.embeddingLength).squareRoot()
        configuration.finalSoftCap = try keys.softCap("final_logit_softcapping", default: 30)
        let perLayer = try keys.optionalCount("embedding_length_per_layer_input", in: 0...65_536) ?? 0
        configuration.perLayerEmbeddingLength = perLayer == 0 ? nil : perLayer
        try configuration.useGemma4Attention(keys)
        for layer in configuration.layers.indices {
            guard case .experts(var plan) = configuration.layers[layer].feedForward else { continue }
            plan.routesResidual = true
            let lengths = try keys.counts(
                "feed_forward_length", of: configuration.blockCount, in: 1...ArchitectureKeys.largestCount)
            configuration.layers[layer].feedForward = .denseAndExperts(
                innerLength: try keys.required(lengths?[layer], "feed_forward_length"), plan)
        }
    }
}

extension Configuration {
    fileprivate mutating func useGemma4Attention(_ keys: ArchitectureKeys) throws(InferenceError) {
        let window = try keys.count("attention.sliding_window", in: 1...(1 << 30))
        let isWindowed = try keys.windowedLayers(of: blockCount, defaultPeriod: 6)
        let range = 1...65_536
        let keyLength = try keys.optionalCount("attention.key_length_swa", in: range)
        let valueLength = try keys.optionalCount("attention.value_length_swa", in: range) ?? keyLength
        localRope = rope
        localRope?.scaling = .none
        localRope?.base = try keys.positive("rope.freq_base_swa") ?? 10_000
        if let count = try keys.optionalCount("rope.dimension_count_swa", in: 2...65_536) {
            localRope?.dimensionCount = count
        } else if let keyLength, let count = rope?.dimensionCount {
            localRope?.dimensionCount = min(count, keyLength)
        }
        let shared = try keys.optionalCount("attention.shared_kv_layers", in: 0...4096) ?? 0
        guard shared < blockCount else {
            throw keys.malformed("attention.shared_kv_layers", "is \(shared), with a block_count of \(blockCount)")
        }
        let first = blockCount - shared
        // Shared layers read the last layer of their kind that has keys and values.
        let sources = [true, false].map { kind in (0..<first).last { isWindowed[$0] == kind } }
        for layer in first..<blockCount where sources[isWindowed[layer] ? 0 : 1] == nil {
            throw keys.malformed(
                "attention.shared_kv_layers",
                "is \(shared), which leaves layer \(layer) of block_count \(blockCount) no keys by attention.sliding_window_pattern"
            )
        }
        // The rotation's base and the number of heads are per kind; queries are normalised, so that their scale is 1.
        layers.forEachAttention { layer, plan in
            plan.scale = 1
            plan.normalisesValues = true
            if isWindowed[layer] {
                plan.window = window
                plan.rotation = .local
                plan.keyLength = keyLength ?? plan.keyLength
                plan.valueLength = valueLength ?? plan.valueLength
            }
            if layer >= first { plan.sharedLayer = sources[isWindowed[layer] ? 0 : 1] }
        }
        for plan in layers.compactMap(\.attention) {
            guard let source = plan.sharedLayer, let other = layers[source].attention else { continue }
            guard
                (plan.keyValueHeads, plan.keyLength, plan.valueLength)
                    == (other.keyValueHeads, other.keyLength, other.valueLength)
            else {
                throw keys.malformed("attention.head_count_kv", "differs between layers that share keys and values")
            }
        }
        let shortest = layers.lazy.compactMap(\.attention).filter { $0.rotation == .local }.map(\.keyLength).min()
        guard let local = localRope?.dimensionCount, local.isMultiple(of: 2), local <= shortest ?? local else {
            throw keys.malformed("rope.dimension_count_swa", "does not fit attention.key_length_swa")
        }
    }
}
