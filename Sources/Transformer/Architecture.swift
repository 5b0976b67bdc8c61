// The table of known architectures: what each adds to the common transformer.

import InferSupport
import InferTensors

/// An architecture by its `general.architecture` name: everything about it that the tensors of a file do not show.
///
/// | architecture | models | RoPE pairs | adds |
/// |---|---|---|---|
/// | `llama` | Llama, Mistral, Mixtral, CodeLlama, DeepSeek-Coder, SmolLM2, … | adjacent | optional biases, `rope_freqs`, experts |
/// | `mistral3` | Ministral 3, Devstral 2 | adjacent | YaRN with its own magnitude, attention temperature |
/// | `granite` | Granite 3, 4 dense | adjacent | four scalars; RoPE may be off |
/// | `qwen2` | Qwen 2, 2.5, 2.5-Coder | halves | biases of queries, keys, values |
/// | `qwen3`, `qwen3moe` | Qwen 3, Qwen3-Coder | halves | norms of queries and keys; experts |
/// | `starcoder2` | StarCoder 2 | halves | layer norm, biases, GELU without gate |
/// | `gemma`, `gemma2`, `gemma3` | Gemma | halves | scaled embedding, GELU gate, norms after layers, windows, soft caps |
/// | `phi3` | Phi 3, 3.5, 4 mini | halves | fused matrices, LongRoPE |
/// | `gpt-oss` | gpt-oss | halves | experts with biases, attention sinks, windows, clamped SwiGLU |
struct Architecture: Sendable {
    let name: String
    /// Nil for architectures without RoPE.
    let ropePairing: RotaryPairing?
    /// Reads the architecture's own keys.
    let configure: @Sendable (inout Configuration, ArchitectureKeys) throws(InferenceError) -> Void

    init(
        _ name: String, ropePairing: RotaryPairing?,
        configure: @escaping @Sendable (inout Configuration, ArchitectureKeys) throws(InferenceError) -> Void = {
            (_, _) throws(InferenceError) in
        }
    ) {
        self.name = name
        self.ropePairing = ropePairing
        self.configure = configure
    }

    /// Every architecture this engine runs. A new one is a small file beside the others and an entry here.
    static let all: [Architecture] = [
        .llama, .mistral3, .granite, .granitemoe, .granitehybrid, .qwen2, .qwen2moe, .qwen3, .qwen3moe, .qwen3next,
        .qwen35, .qwen35moe, .starcoder, .starcoder2, .gemma, .gemma2, .gemma3, .gemma4, .phi2, .phi3, .gptOss,
        .deepseek2, .kimiLinear, .glm4, .glm4moe, .mellum, .smollm3, .seedOSS, .nemotronH, .nemotronHMoE, .lfm2,
        .lfm2moe, .laguna, .maincoder, .minimaxM2, .stablelm, .olmo2, .ernie45, .ernie45moe, .cohere2, .exaone4,
        .hunyuanDense, .falconH1,
    ]

    static func named(_ name: String) -> Architecture? { all.first { $0.name == name } }
}
