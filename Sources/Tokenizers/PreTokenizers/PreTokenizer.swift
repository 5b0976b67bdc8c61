// The pre-tokenizers by name: the splitting rules and settings of each.

package import InferSupport

/// Splits text into words. A byte-pair encoder merges only within words.
package struct PreTokenizer: Sendable {
    /// The rules. Each splits the pieces that the previous one produced.
    var rules: [any SplitRule]
    /// How words are spelled in the vocabulary.
    var spelling = Spelling.bytes
    /// The words that become a token without merging if the token exists.
    var wholeWords = WholeWords.none
    /// Whether encoding adds the BOS token.
    var addsBOS = BOSRule.ifKeyed
    /// Whether the default BOS token of the algorithm applies.
    var hasDefaultBOS = true
    /// Whether the vocabulary must have merges.
    var needsMerges = true

    /// How a vocabulary spells text.
    enum Spelling: Sendable {
        /// Each byte is a character of GPT-2's alphabet.
        case bytes
        /// Characters are themselves, and U+2581 is the space. Characters outside the vocabulary become byte tokens.
        case characters
        /// The same, where each line begins with U+2581 and each U+2581 begins a word (mmBERT).
        case charactersWithSpacesBeforeWords
    }

    /// A set of words.
    enum WholeWords: Sendable { case none, lineFeeds, all }

    /// Whether encoding adds the BOS token.
    enum BOSRule: Sendable {
        /// Only if the file has the key `tokenizer.ggml.add_bos_token` and it is true.
        case ifKeyed
        /// Unless the key is false.
        case byDefault
        /// Whatever the key is.
        case always
    }

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

    /// The pre-tokenizer of the vocabularies with the model name `gemma4`.
    static let gemma4 = PreTokenizer(
        rules: [RunRule(members: .lineFeeds)], spelling: .characters, wholeWords: .lineFeeds,
        addsBOS: .always)

    private static let digit = RunRule(members: .numbers, limit: 1)

    /// Youtu's runs of Hangul, of full-width punctuation, of Bopomofo, and of ideographs and kana.
    private static let scripts: [any SplitRule] = [
        RunRule(members: .ranges([0x3131...0x318E, 0xAC00...0xD7A3])),
        RunRule(
            members: .ranges([
                0x2014...0x2014, 0x2018...0x2019, 0x201C...0x201D, 0x2026...0x2026, 0x3001...0x303F, 0xFE30...0xFE4F,
                0xFF01...0xFF01, 0xFF0C...0xFF0C, 0xFF1A...0xFF1B,
            ])),
        RunRule(members: .ranges([0x3105...0x312F])),
        RunRule(members: .ranges(DeepSeekRules.chinese)),
    ]

    /// The names that llama.cpp's converter writes, grouped by rules.
    private static let families: [Family] = [
        Family(names: ["default"], preTokenizer: standard),
        Family(
            names: [
                "gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "jina-es", "jina-de",
                "jina-v2-es", "jina-v2-de", "jina-v1-en", "jina-v2-code", "roberta-bpe", "gigachat", "a.x-4.0",
                "mellum",
                "modern-bert", "exaone4",
            ],
            preTokenizer: PreTokenizer(rules: [GPT2Rule()])),
        Family(
            names: ["starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"],
            preTokenizer: PreTokenizer(rules: [digit, GPT2Rule()])),
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
            preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 3)], wholeWords: .all, addsBOS: .byDefault)),
        Family(
            names: ["dbrx", "smaug-bpe"], preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 3)])),
        Family(
            names: ["jais-2"],
            preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 3, halvesWhitespace: true)])),
        Family(
            names: ["minicpm5"],
            preTokenizer: PreTokenizer(
                rules: [RunRule(members: .numbers, limit: 3), Llama3Rule(digits: .max)], wholeWords: .all)),
        Family(
            names: ["chatglm-bpe"],
            preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 3)], hasDefaultBOS: false)),
        Family(
            names: ["glm4", "glm5"],
            preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 3)], wholeWords: .all, hasDefaultBOS: false)),
        Family(
            names: [
                "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan", "solar-open",
                "grok-2", "bailingmoe", "bailingmoe2", "llada-moe",
            ],
            preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 1)])),
        Family(
            names: ["laguna"],
            preTokenizer: PreTokenizer(rules: [RunRule(members: .lineFeeds), Llama3Rule(digits: 1)])),
        Family(
            names: ["qwen35"], preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 1, marksJoinWords: true)])),
        Family(
            names: ["seed-coder"],
            preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 1, newlinesAfterPunctuation: 0)])),
        Family(
            names: ["exaone-moe"],
            preTokenizer: PreTokenizer(
                rules: [Llama3Rule(digits: 1, spacesJoinWords: true, newlinesAfterPunctuation: 1)])),
        Family(
            names: ["ufakzeka"],
            preTokenizer: PreTokenizer(rules: [Llama3Rule(digits: 1, splitsContractions: false)])),
        Family(
            names: ["tekken"],
            preTokenizer: PreTokenizer(
                rules: [CaseRule(digits: 1, contractionsJoinWords: false)], wholeWords: .all, addsBOS: .byDefault)),
        Family(
            names: ["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"],
            preTokenizer: PreTokenizer(rules: [CaseRule(digits: 3)])),
        Family(
            names: ["granite-embed-multi-97m"],
            preTokenizer: PreTokenizer(rules: [CaseRule(digits: 3, words: .casedWithMarks)], wholeWords: .all)),
        Family(
            names: ["tiny_aya", "cohere2moe"],
            preTokenizer: PreTokenizer(rules: [
                DigitGroupRule(members: .numbers, cuts: .afterGroups), CaseRule(digits: 3, words: .uncasedWithMarks),
            ])),
        Family(
            names: ["youtu"],
            preTokenizer: PreTokenizer(
                rules: scripts + [CaseRule(digits: 1, words: .uncasedWithMarks)], wholeWords: .all)),
        Family(names: ["kimi-k2"], preTokenizer: PreTokenizer(rules: [KimiRule()], needsMerges: false)),
        Family(names: ["deepseek-coder"], preTokenizer: PreTokenizer(rules: DeepSeekRules.coder)),
        Family(names: ["deepseek-llm"], preTokenizer: PreTokenizer(rules: DeepSeekRules.llm)),
        Family(
            names: ["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
            preTokenizer: PreTokenizer(rules: DeepSeekRules.v3)),
        Family(names: ["spark2_5"], preTokenizer: PreTokenizer(rules: DeepSeekRules.spark)),
        Family(names: ["afmoe"], preTokenizer: PreTokenizer(rules: DeepSeekRules.afm)),
        Family(
            names: ["superbpe"],
            preTokenizer: PreTokenizer(rules: [
                RunRule(members: .numbers), DigitGroupRule(members: .asciiDigits, cuts: .beforeGroups),
            ])),
        Family(names: ["bloom", "gpt3-finnish", "poro-chat"], preTokenizer: PreTokenizer(rules: [BloomRule()])),
        Family(names: ["viking"], preTokenizer: PreTokenizer(rules: [BloomRule(), digit])),
        Family(
            names: ["chameleon"],
            preTokenizer: PreTokenizer(
                rules: [
                    ChameleonRule.sentinel, ChameleonRule.image, ChameleonRule.indent, digit,
                    RunRule(members: .punctuationAnd(["$", "+", "<", "=", ">", "^", "~", "|", "`"]), limit: 1),
                    GPT2Rule(),
                ], addsBOS: .byDefault)),
        Family(names: ["gemma4", "granite-embed-multi-311m"], preTokenizer: gemma4),
        Family(
            names: ["sarvam-moe"],
            preTokenizer: PreTokenizer(rules: [RunRule(members: .lineFeeds)], spelling: .characters)),
        Family(
            names: ["mmbert"],
            preTokenizer: PreTokenizer(
                rules: [RunRule(members: .lineFeeds)], spelling: .charactersWithSpacesBeforeWords,
                wholeWords: .lineFeeds)),
    ]
}
