// Qwen 2 (arXiv 2407.10671) and Qwen 3 (arXiv 2505.09388), dense and mixture of experts.

import InferTensors

extension Architecture {
    static let qwen2 = Architecture("qwen2", ropePairing: .halves)
    static let qwen3 = Architecture("qwen3", ropePairing: .halves)
    static let qwen3moe = Architecture("qwen3moe", ropePairing: .halves)
}
