// gpt-oss (arXiv 2508.10925).

import InferSupport
import InferTensors

extension Architecture {
    static let gptOss = Architecture("gpt-oss", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        configuration.activation = .clampedSwiGLU
        configuration.layers.forEachRouting {
            $0.gating = .topThenSoftmax
            $0.normalisesWeights = false
        }
        let window = try keys.count("attention.sliding_window", in: 1...(1 << 30))
        try configuration.useWindow(of: window, keys, defaultPeriod: 2)
    }
}
