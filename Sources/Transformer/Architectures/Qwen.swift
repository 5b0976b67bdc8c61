// Qwen 2 (arXiv 2407.10671) and Qwen 3 (arXiv 2505.09388), dense and mixture of experts.

import InferSupport
import InferTensors

extension Architecture {
    static let qwen2 = Architecture("qwen2", ropePairing: .halves)
    static let qwen2moe = Architecture("qwen2moe", ropePairing: .halves) { configuration, _ in
        configuration.layers.forEachMixture { $0.routing.normalisesWeights = false }
    }
    static let qwen3 = Architecture("qwen3", ropePairing: .halves)
    static let qwen3moe = Architecture("qwen3moe", ropePairing: .halves)
}
