// Mellum 2: Qwen 3's mixture of experts with windows, and YaRN in full layers alone.

import InferSupport
import InferTensors

extension Architecture {
    static let mellum = Architecture("mellum", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        if let window = try keys.optionalCount("attention.sliding_window", in: 0...(1 << 30)), window > 0 {
            try configuration.useWindow(of: window, keys, defaultPeriod: 4, plainRotation: true)
        }
    }
}
