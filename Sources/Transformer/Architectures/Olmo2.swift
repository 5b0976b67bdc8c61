// OLMo 2 (arXiv 2501.00656) and 3: norms after the layers only.

import InferSupport
import InferTensors

extension Architecture {
    static let olmo2 = Architecture("olmo2", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        if let window = try keys.optionalCount("attention.sliding_window", in: 0...(1 << 30)), window > 0 {
            try configuration.useWindow(of: window, keys, defaultPeriod: 4, plainRotation: true)
        }
    }
}
