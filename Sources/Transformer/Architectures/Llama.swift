// Llama (arXiv 2302.13971, 2407.21783), the many models stored as such (Mistral, Mixtral, CodeLlama, DeepSeek-Coder, SmolLM2, …),
// and those that differ from it in little.

import InferSupport
import InferTensors

extension Architecture {
    static let llama = Architecture("llama", ropePairing: .adjacent)

    /// Norms of queries and keys follow the rotation.
    static let maincoder = Architecture("maincoder", ropePairing: .adjacent) { configuration, _ in
        configuration.layers.forEachAttention { $1.normalisesAfterRotation = true }
    }

    /// The same, in the other pairing (Hunyuan, arXiv 2411.02265).
    static let hunyuanDense = Architecture("hunyuan-dense", ropePairing: .halves) {
        (configuration, keys) throws(InferenceError) in
        configuration.layers.forEachAttention { $1.normalisesAfterRotation = true }
        if let alpha = try keys.positiveUnlessZero("rope.scaling.alpha"), let rope = configuration.rope {
            let count = Double(rope.dimensionCount)
            configuration.rope?.base = Float(Double(rope.base) * pow(Double(alpha), count / (count - 2)))
        }
    }

    /// Seed-OSS: biases of queries, keys and values.
    static let seedOSS = Architecture("seed_oss", ropePairing: .halves)

    /// ERNIE 4.5, and with experts in some blocks.
    static let ernie45 = Architecture("ernie4_5", ropePairing: .adjacent)
    static let ernie45moe = Architecture("ernie4_5-moe", ropePairing: .adjacent)

    /// EXAONE 4 (arXiv 2507.11407): norms after the layers only.
    static let exaone4 = Architecture("exaone4", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        // Only the largest model has windows, and then no rotation elsewhere.
        guard configuration.blockCount == 64 else { return }
        let window = try keys.optionalCount("attention.sliding_window", in: 1...(1 << 30)) ?? 4096
        try configuration.useWindow(of: window, keys, defaultPeriod: 4)
        configuration.layers.forEachAttention { if $1.window == nil { $1.rotation = .none } }
    }

    /// MiniMax M2: norms over all heads together, and a sigmoid router.
    static let minimaxM2 = Architecture("minimax-m2", ropePairing: .halves) {
        (configuration, keys) throws(InferenceError) in
        try configuration.useGating(keys, default: .sigmoid, normalises: true, scales: false)
    }
}
