// StarCoder 2 (arXiv 2402.19173).

import InferTensors

extension Architecture {
    static let starcoder2 = Architecture("starcoder2", ropePairing: .halves) { configuration, _ in
        configuration.activation = .gelu
    }
}
