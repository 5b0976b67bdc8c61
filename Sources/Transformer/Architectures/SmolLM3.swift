// SmolLM 3: Llama, with no rotation in every fourth block.

import InferSupport
import InferTensors

extension Architecture {
    static let smollm3 = Architecture("smollm3", ropePairing: .adjacent) { configuration, _ in
        configuration.layers.forEachAttention { if ($0 + 1) % 4 == 0 { $1.rotation = .none } }
    }
}
