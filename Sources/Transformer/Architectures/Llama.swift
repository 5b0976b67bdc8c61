// Llama (arXiv 2302.13971, 2407.21783) and the many models stored as such: Mistral, Mixtral, DeepSeek-Coder, SmolLM2, …

import InferTensors

extension Architecture {
    static let llama = Architecture("llama", ropePairing: .adjacent)
}
