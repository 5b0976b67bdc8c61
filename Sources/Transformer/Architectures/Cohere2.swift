// Command R7B and A (arXiv 2504.00698): parallel blocks, windows with rotation and full layers without.

import InferSupport
import InferTensors

extension Architecture {
    static let cohere2 = Architecture("cohere2", ropePairing: .adjacent, usesLayerNorm: true) {
        (configuration, keys) throws(InferenceError) in
        if let scale = try keys.positiveUnlessZero("logit_scale") { configuration.logitScale = scale }
        let window = try keys.count("attention.sliding_window", in: 1...(1 << 30))
        try configuration.useWindow(of: window, keys, defaultPeriod: 4)
        configuration.layers.forEachAttention { if $1.window == nil { $1.rotation = .none } }
    }
}
