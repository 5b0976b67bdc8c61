// StarCoder 1 (arXiv 2305.06161) and 2 (arXiv 2402.19173), Phi 2, and StableLM (arXiv 2402.17834): layer norms.

import InferSupport
import InferTensors

extension Architecture {
    /// Learned positions.
    static let starcoder = Architecture("starcoder", ropePairing: nil, usesLayerNorm: true) { configuration, _ in
        configuration.activation = .gelu
    }

    static let starcoder2 = Architecture("starcoder2", ropePairing: .halves, usesLayerNorm: true) { configuration, _ in
        configuration.activation = .gelu
    }

    static let phi2 = Architecture("phi2", ropePairing: .halves, usesLayerNorm: true) { configuration, _ in
        configuration.activation = .gelu
    }

    static let stablelm = Architecture("stablelm", ropePairing: .halves, usesLayerNorm: true)
}
