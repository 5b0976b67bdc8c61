// The pre-tokenizers by name: the splitting rules and settings of each.

package import InferSupport

/// Splits text into words. A byte-pair encoder merges only within words.
package struct PreTokenizer: Sendable {
    /// The rules. Each splits the pieces that the previous one produced.
    var rules: [any SplitRule]
    /// Whether a word that is a token becomes that token without merging.
    var ignoresMerges = false
    /// Whether encoding adds the BOS token by default.
    var addsBOS = false
    /// Whether the default BOS token of the algorithm applies.
    var hasDefaultBOS = true

    /// The pre-tokenizer with that name; `default` if `name` is nil or empty.
    ///
    /// - Throws: ``InferenceError`` with `unsupportedTokenizer` for an unknown name.
    package static func named(_ name: String?) throws(InferenceError) -> PreTokenizer {
        guard let name, !name.isEmpty else { return standard }
        for family in families where family.names.contains(name) { return family.preTokenizer }
        let known = families.flatMap(\.names).sorted().joined(separator: ", ")
        throw InferenceError(
            .unsupportedTokenizer,
            "the pre-tokenizer \"\(name.printable)\" (key tokenizer.ggml.pre) is not supported; known are: \(known)")
    }

    /// The ends of the words of `text`, in ascending order, as indices of scalars.
    func split(_ text: ScalarText) -> [Int] {
        var ends = text.scalars.isEmpty ? [] : [text.scalars.count]
        var next: [Int] = []
        for rule in rules {
            next.removeAll(keepingCapacity: true)
            var start = 0
            for end in ends {
                rule.split(text.window(start..<end), into: &next)
                start = end
            }
            swap(&ends, &next)
        }
        return ends
    }

    /// For tests. The words of `text` as strings.
    package func words(in text: String) -> [String] {
        var scalars = ScalarText()
        let bytes = Array(text.utf8)
        scalars.decode(bytes, bytes.indices)
        var start = 0
        return split(scalars).map { end in
            defer { start = end }
            var word: [UInt8] = []
            for scalar in scalars.scalars[start..<end] { UTF8Pattern.encode(scalar.value) { word.append($0) } }
            return String(decoding: word, as: UTF8.self)
        }
    }

    private struct Family: Sendable { let names: [String], preTokenizer: PreTokenizer }

    private static let standard = PreTokenizer(rules: [
        RunRule(members: .punctuationAnd(["$", "+", "<", "=", ">", "^", "~", "|"])), GPT2Rule(),
        RunRule(members: .numbers), RunRule(members: .asciiDigits, minimum: 3, limit: 3),
    ])

    /// The names that llama.cpp's converter writes, grouped by rules.
    private static let families: [Family] = [
        Family(names: ["default"], preTokenizer: standard),
        Family(
            names: [
                "gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "jina-es", "jina-de",
                "jina-v2-es",
                "jina-v2-de", "jina-v1-en", "jina-v2-code", "roberta-bpe", "gigachat", "a.x-4.0", "mellum",
                "modern-bert",
                "exaone4",
            ],
            preTokenizer: PreTokenizer(rules: [GPT2Rule()])),
        Family(
            names: ["starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"],
            preTokenizer: PreTokenizer(rules: [RunRule(members: .numbers, limit: 1), GPT2Rule()])),
        Family(
            names: ["falcon"],
            preTokenizer: PreTokenizer(rules: [
                RunRule(members: .punctuationAnd(["$", "+", "<", "=", ">", "^", "~", "|", "`"])), GPT2Rule(),
                RunRule(members: .asciiDigits, minimum: 3, limit: 3),
            ])),
        Family(
            names: [
                "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
                "jina-v5-nano",
            ],
            preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 3)], ignoresMerges: true, addsBOS: true)),
        Family(
            names: ["dbrx", "smaug-bpe"], preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 3)])),
        Family(
            names: ["chatglm-bpe"],
            preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 3)], hasDefaultBOS: false)),
        Family(
            names: ["glm4", "glm5"],
            preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 3)], ignoresMerges: true, hasDefaultBOS: false)),
        Family(
            names: [
                "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan", "solar-open",
                "grok-2",
            ],
            preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 1)])),
        Family(
            names: ["qwen35"], preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 1, marksJoinWords: true)])),
        Family(
            names: ["seed-coder"],
            preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 1, punctuationTakesNewlines: false)])),
        Family(
            names: ["tekken"],
            preTokenizer: PreTokenizer(
                rules: [CaseRule(digits: 1, contractionsJoinWords: false)], ignoresMerges: true, addsBOS: true)),
        Family(
            names: ["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"],
            preTokenizer: PreTokenizer(rules: [CaseRule(digits: 3, contractionsJoinWords: true)])),
        Family(names: ["deepseek-coder"], preTokenizer: PreTokenizer(rules: DeepSeekRules.coder)),
        Family(names: ["deepseek-llm"], preTokenizer: PreTokenizer(rules: DeepSeekRules.llm)),
        Family(
            names: ["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
            preTokenizer: PreTokenizer(rules: DeepSeekRules.v3)),
    ]
}
