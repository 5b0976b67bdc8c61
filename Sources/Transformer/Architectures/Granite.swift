// Granite 3 and 4 (dense): Llama with four scalars (arXiv 2203.03466's µP parametrisation).

import InferSupport
import InferTensors

extension Architecture {
    static let granite = Architecture("granite", ropePairing: .adjacent) { configuration, keys throws(InferenceError) in
        if let scale = try keys.positiveUnlessZero("embedding_scale") { configuration.embeddingScale = scale }
        if let scale = try keys.positiveUnlessZero("residual_scale") { configuration.residualScale = scale }
        if let scale = try keys.positiveUnlessZero("attention.scale") {
            configuration.layers.forEachAttention { $1.scale = scale }
        }
        let divisor = try keys.required(keys.positive("logit_scale"), "logit_scale")
        configuration.logitScale = 1 / divisor
        guard configuration.logitScale.isFinite else { throw keys.malformed("logit_scale", "is \(divisor), too small") }
        if try keys.bool("rope.scaling.finetuned") == false { configuration.rope = nil }
    }
}
