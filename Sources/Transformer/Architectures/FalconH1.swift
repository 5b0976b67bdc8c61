// Falcon-H1 (arXiv 2507.22448): attention and Mamba-2 side by side.

import InferSupport
import InferTensors

extension Architecture {
    static let falconH1 = Architecture("falcon-h1", ropePairing: .halves) {
        configuration, keys throws(InferenceError) in
        let mamba = try Mamba2Plan(keys)
        for layer in configuration.layers.indices {
            guard let attention = configuration.layers[layer].attention else { continue }
            configuration.layers[layer].mixer = .attentionAndMamba2(attention, mamba)
        }
    }
}
