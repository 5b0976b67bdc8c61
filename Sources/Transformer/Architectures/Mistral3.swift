// Mistral 3: Llama with YaRN and attention that sharpens with position.

import InferSupport
import InferTensors

extension Architecture {
    static let mistral3 = Architecture("mistral3", ropePairing: .adjacent) {
        (configuration, keys) throws(InferenceError) in
        if let scale = try keys.positiveUnlessZero("attention.temperature_scale") {
            let length = configuration.rope?.originalContextLength ?? configuration.contextLength
            configuration.attentionTemperature = AttentionTemperature(scale: scale, length: length)
        }
    }
}
