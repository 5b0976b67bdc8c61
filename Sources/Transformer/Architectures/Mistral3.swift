// Mistral 3: Llama with YaRN and attention that sharpens with position.

import InferSupport
import InferTensors

extension Architecture {
    static let mistral3 = Architecture("mistral3", ropePairing: .adjacent) {
        (configuration, keys) throws(InferenceError) in
        if case .yarn(let factor, let fast, let slow, _)? = configuration.rope?.scaling {
            configuration.rope?.scaling = .yarn(
                factor: factor, betaFast: try keys.positive("rope.scaling.yarn_beta_fast") ?? fast,
                betaSlow: try keys.positive("rope.scaling.yarn_beta_slow") ?? slow,
                logMultiplier: try keys.positiveUnlessZero("rope.scaling.yarn_log_multiplier") ?? 0)
        }
        if let scale = try keys.positiveUnlessZero("attention.temperature_scale") {
            let length = configuration.rope?.originalContextLength ?? configuration.contextLength
            configuration.attentionTemperature = AttentionTemperature(scale: scale, length: length)
        }
    }
}
