// GLM 4 (arXiv 2406.12793) and GLM 4.5 (arXiv 2508.06471).

import InferSupport
import InferTensors

extension Architecture {
    static let glm4 = Architecture("glm4", ropePairing: .adjacent) { configuration, keys throws(InferenceError) in
        try configuration.useSections(keys)
    }

    static let glm4moe = Architecture("glm4moe", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        try configuration.useGating(keys, default: .sigmoid)
        try configuration.useSections(keys)
    }
}

extension Configuration {
    /// Files of models that also read images have sections of RoPE, and then pairs of halves.
    fileprivate mutating func useSections(_ keys: ArchitectureKeys) throws(InferenceError) {
        guard let sections = try keys.sections(), sections[0] > 0, sections[1] > 0 else { return }
        rope?.pairing = .halves
        rope?.useSections(sections, areInterleaved: false)
    }
}
