// Granite 3 and 4 (dense): Llama with four scalars (arXiv 2203.03466's µP parametrisation).

import GGUF
import Tensors

extension Architecture {
    static let granite = Architecture("granite", ropePairing: .adjacent) { configuration, keys throws(InferenceError) in
        if let scale = try keys.float("embedding_scale"), scale != 0 { configuration.embeddingScale = scale }
        if let scale = try keys.float("residual_scale"), scale != 0 { configuration.residualScale = scale }
        if let scale = try keys.float("attention.scale"), scale != 0 { configuration.attentionScale = scale }
        let divisor = try keys.required(keys.float("logit_scale"), "logit_scale")
        guard divisor != 0 else { throw keys.malformed("logit_scale", "it is zero") }
        configuration.logitScale = 1 / divisor
        if try keys.bool("rope.scaling.finetuned") == false { configuration.rope = nil }
    }
}
