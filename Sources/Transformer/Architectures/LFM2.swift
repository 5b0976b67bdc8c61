// LFM 2 (arXiv 2511.23404): short convolutions and a few attention layers.

import InferSupport
import InferTensors

extension Architecture {
    static let lfm2 = Architecture("lfm2", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        try configuration.useShortConvolutions(keys)
        if let window = try keys.optionalCount("attention.sliding_window", in: 0...(1 << 30)), window > 0 {
            configuration.layers.forEachAttention { $1.window = window }
        }
    }

    static let lfm2moe = Architecture("lfm2moe", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        try configuration.useShortConvolutions(keys)
        try configuration.useGating(keys, default: .sigmoid, normalises: true, scales: false)
    }
}

extension Configuration {
    fileprivate mutating func useShortConvolutions(_ keys: ArchitectureKeys) throws(InferenceError) {
        let plan = ShortConvolutionPlan(
            channels: embeddingLength, taps: try keys.count("shortconv.l_cache", in: 1...64))
        for layer in layers.indices {
            guard case .none = layers[layer].mixer else { continue }
            layers[layer].mixer = .shortConvolution(plan)
        }
    }
}
