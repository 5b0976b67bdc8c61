// gpt-oss (arXiv 2508.10925).

import InferSupport
import InferTensors

extension Architecture {
    static let gptOss = Architecture("gpt-oss", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        configuration.activation = .clampedSwiGLU
        configuration.routing.gating = .topThenSoftmax
        configuration.routing.normalisesWeights = false
        configuration.slidingWindow = try keys.count("attention.sliding_window", in: 1...(1 << 30))
        configuration.windowedLayers = try keys.windowedLayers(of: configuration.blockCount, defaultPeriod: 2)
        try configuration.readLocalRopeBase(keys)
    }
}
