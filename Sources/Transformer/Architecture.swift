// The table of known architectures: what each adds to the common transformer.

import InferSupport
import InferTensors

/// An architecture by its `general.architecture` name: everything about it that the tensors of a file do not show.
///
/// | architecture | models | RoPE pairs | adds |
/// |---|---|---|---|
/// | `llama` | Llama, Mistral, Mixtral, CodeLlama, DeepSeek-Coder, SmolLM2, … | adjacent | optional biases, `rope_freqs`, experts |
/// | `mistral3` | Ministral 3, Devstral 2 | adjacent | YaRN with its own magnitude, attention temperature |
/// | `granite`, `granitemoe`, `granitehybrid` | Granite 3, 4 | adjacent | four scalars; RoPE may be off; experts; Mamba-2 layers |
/// | `qwen2`, `qwen2moe` | Qwen 2, 2.5, 2.5-Coder | halves | biases of queries, keys, values; gated shared expert |
/// | `qwen3`, `qwen3moe` | Qwen 3, Qwen3-Coder | halves | norms of queries and keys; experts |
/// | `qwen35`, `qwen35moe`, `qwen3next` | Qwen 3.5, 3.6, Qwen3-Coder-Next | halves | gated delta nets, gated attention |
/// | `qwen4exp` | Qwen 4's experimental files | halves | several residual streams, indexed attention, embeddings of n-grams |
/// | `deepseek2` | DeepSeek-V2, -V3, -Coder-V2, GLM-4.7-Flash | adjacent | latent attention, sigmoid routing |
/// | `kimi-linear` | Kimi Linear | none | delta nets whose keys decay one by one, latent attention |
/// | `glm4`, `glm4moe` | GLM 4, 4.5, 4.6 | adjacent, halves | four norms; sigmoid routing, shared expert |
/// | `gemma`, `gemma2`, `gemma3` | Gemma | halves | scaled embedding, GELU gate, norms after layers, windows, soft caps |
/// | `gemma4` | Gemma 4 | halves | head widths by kind, embeddings per layer, shared keys and values, dense and experts |
/// | `mellum`, `laguna` | Mellum 2, Laguna | halves | windows, experts; gates and numbers of heads per layer |
/// | `nemotron_h`, `nemotron_h_moe` | Nemotron-H, Nemotron 3 Nano | none | one layer a block, Mamba-2, squared ReLU |
/// | `lfm2`, `lfm2moe` | LFM 2 | halves | short convolutions |
/// | `falcon-h1` | Falcon-H1 | halves | attention beside Mamba-2 |
/// | `seed_oss`, `exaone4`, `olmo2`, `hunyuan-dense` | Seed-OSS, EXAONE 4, OLMo 2 and 3, Hunyuan | halves | norms after layers, or after rotation |
/// | `smollm3`, `maincoder`, `ernie4_5`, `ernie4_5-moe` | SmolLM 3, Maincoder, ERNIE 4.5 | adjacent | layers without rotation, biased routing |
/// | `minimax-m2` | MiniMax M2 | halves | norms over all heads, sigmoid routing |
/// | `starcoder`, `starcoder2`, `phi2`, `stablelm` | StarCoder 1 and 2, Phi 2, StableLM | none, halves | layer norm, biases, GELU, parallel blocks |
/// | `cohere2` | Command R7B, A | adjacent | parallel blocks, windows |
/// | `phi3` | Phi 3, 3.5, 4 mini | halves | fused matrices, LongRoPE |
/// | `gpt-oss` | gpt-oss | halves | experts with biases, attention sinks, windows, clamped SwiGLU |
struct Architecture: Sendable {
    let name: String
    /// Nil for architectures without RoPE.
    let ropePairing: RotaryPairing?
    /// Whether the norms are layer norms, not of the root mean square.
    let usesLayerNorm: Bool
    /// Reads the architecture's own keys.
    let configure: @Sendable (inout Configuration, ArchitectureKeys) throws(InferenceError) -> Void

    init(
        _ name: String, ropePairing: RotaryPairing?, usesLayerNorm: Bool = false,
        configure: @escaping @Sendable (inout Configuration, ArchitectureKeys) throws(InferenceError) -> Void = {
            (_, _) throws(InferenceError) in
        }
    ) {
        self.name = name
        self.ropePairing = ropePairing
        self.usesLayerNorm = usesLayerNorm
        self.configure = configure
    }

    /// Every architecture this engine runs. A new one is a small file beside the others and an entry here.
    static let all: [Architecture] = [
        .llama, .mistral3, .granite, .granitemoe, .granitehybrid, .qwen2, .qwen2moe, .qwen3, .qwen3moe, .qwen3next,
        .qwen35, .qwen35moe, .starcoder, .starcoder2, .gemma, .gemma2, .gemma3, .gemma4, .phi2, .phi3, .gptOss,
        .deepseek2, .kimiLinear, .glm4, .glm4moe, .mellum, .smollm3, .seedOSS, .nemotronH, .nemotronHMoE, .lfm2,
        .lfm2moe, .laguna, .maincoder, .minimaxM2, .stablelm, .olmo2, .ernie45, .ernie45moe, .cohere2, .exaone4,
        .hunyuanDense, .falconH1, .qwen4exp,
    ]

    static func named(_ name: String) -> Architecture? { all.first { $0.name == name } }
}
