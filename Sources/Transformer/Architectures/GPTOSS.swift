// gpt-oss (arXiv 2508.10925).

import InferSupport
import InferTensors

extension Architecture {
    static let gptOss = Architecture("gpt-oss", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        configuration.activation = .clampedSwiGLU
        configuration.layers.forEachMixture {
            $0.routing.gating = .topThenSoftmax
            $0.routing.normalisesWeights = false
        }
        let window = try keys.count("attention.sliding_window", in: 1...(1 << 30))
        try configuration.useWindow(of: window, keys, defaultPeriod: 2, hasOwnBase: true)
    }
}
