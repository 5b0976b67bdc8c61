// GLM 4 (arXiv 2406.12793) and GLM 4.5 (arXiv 2508.06471).

import InferSupport
import InferTensors

extension Architecture {
    static let glm4 = Architecture("glm4", ropePairing: .adjacent)

    static let glm4moe = Architecture("glm4moe", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        try configuration.useGating(keys, default: .sigmoid)
    }
}
