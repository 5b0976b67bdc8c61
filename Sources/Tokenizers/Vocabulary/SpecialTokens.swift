// The special tokens of a vocabulary: ends of texts and turns, marks of fill-in-the-middle prompts.

/// The ids of the tokens with a role, found by metadata key or by spelling, and the set of tokens that end generation.
///
/// The rules have the order of llama.cpp (`llama-vocab.cpp`), and the lists include all spellings that it knows. There are
/// two differences. If a vocabulary has several spellings of one list, the first of the list wins. A token that is ordinary
/// text, such as `</s>` in the vocabularies of Qwen, is not a mark.
struct SpecialTokens: Sendable {
    var bos: TokenID?
    var eos: TokenID?
    var eot: TokenID?
    var eom: TokenID?
    var unknown: TokenID?
    var padding: TokenID?
    var infill = InfillTokens()
    var endOfGeneration: Set<TokenID> = []

    /// Reads the ids from the keys of the file. An id outside the vocabulary is ignored, and the default applies.
    init(keys: [String: Int], defaults: (bos: Int?, eos: Int?, unknown: Int?), count: Int) {
        func id(_ names: String..., default value: Int? = nil) -> TokenID? {
            var result = value.flatMap { $0 < count ? TokenID($0) : nil }
            for name in names {
                if let id = keys[name], (0..<count).contains(id) { result = TokenID(id) }
            }
            return result
        }
        bos = id("bos", default: defaults.bos)
        eos = id("eos", default: defaults.eos)
        eot = id("eot")
        eom = id("eom")
        unknown = id("unknown", default: defaults.unknown)
        padding = id("padding")
        infill.prefix = id("fim_pre", "prefix")
        infill.suffix = id("fim_suf", "suffix")
        infill.middle = id("fim_mid", "middle")
        infill.padding = id("fim_pad")
        infill.repository = id("fim_rep")
        infill.fileSeparator = id("fim_sep")
    }

    private static let eotTexts = [
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|eot|>", "<|END_OF_TURN_TOKEN|>", "[|endofturn|]",
        "<|end_of_turn|>", "<|EOT|>", "<|endoftext|>", "<|end_of_text|>", "<EOT>", "_<EOT>", "▁<EOT>", "[EOT]",
        "<｜end▁of▁sentence｜>", "<[end▁of▁sentence]>", "<|end_of_sentence|>", "<seed:eos>", "<end_of_utterance>",
    ]
    private static let infillTexts: [(any WritableKeyPath<InfillTokens, TokenID?> & Sendable, [String])] = [
        (
            \.prefix,
            [
                "<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>",
                "<|prefix|>", "[PREFIX]", "<[fim-prefix]>",
            ]
        ),
        (
            \.suffix,
            [
                "<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>", "<|code_suffix|>",
                "<|suffix|>", "[SUFFIX]", "<[fim-suffix]>",
            ]
        ),
        (
            \.middle,
            [
                "<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>", "<|code_middle|>",
                "<|middle|>", "<[fim-middle]>",
            ]
        ),
        (\.padding, ["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"]),
        (
            \.repository,
            ["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<repo_name>", "<reponame>", "<|reponame|>"]
        ),
        (\.fileSeparator, ["<|file_sep|>", "<|file_separator|>", "<file_sep>", "<filename>", "<|filename|>"]),
    ]
    private static let endTexts = [
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>",
        "<|endoftext|>", "</s>", "<|eom_id|>", "<|eot|>", "<|eom|>", "<EOT>", "_<EOT>", "▁<EOT>", "[EOT]", "[EOS]",
        "<|EOT|>", "<|end_of_text|>", "<end_of_utterance>", "<eos>", "<EOS_TOKEN>", "<|END_OF_TURN_TOKEN|>",
        "[|endofturn|]", "<|end_of_turn|>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>",
        "<[end▁of▁sentence]>", "<|end_of_sentence|>", "<seed:eos>", "[e~[",
    ]
    /// Marks of the Harmony format. They are part of the text that a chat program reads.
    private static let visibleTexts = ["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"]

    /// Finds by spelling the tokens that have no key, and makes the found tokens control tokens.
    mutating func find(in table: StringTable, attributes: inout [TokenAttributes]) {
        func first(of texts: [String]) -> TokenID? {
            for text in texts {
                if let id = find(text) { return id }
            }
            return nil
        }
        func find(_ text: String) -> TokenID? {
            table.find(text.utf8).flatMap { isOrdinaryText($0, table, attributes[Int($0)]) ? nil : $0 }
        }
        func mark(_ id: TokenID?) -> TokenID? {
            if let id { attributes[Int(id)].insert(.control) }
            return id
        }
        // As a user-defined token, a mark would also be found in untrusted text.
        let keyed = [eot, eom, infill.prefix, infill.suffix, infill.middle, infill.padding, infill.repository]
        for case let id? in keyed + [infill.fileSeparator] where attributes[Int(id)].contains(.userDefined) {
            attributes[Int(id)].insert(.control)
        }
        eot = eot ?? mark(first(of: Self.eotTexts))
        eom = eom ?? mark(first(of: ["<|eom_id|>", "<|eom|>"]))
        for (role, texts) in Self.infillTexts where infill[keyPath: role] == nil {
            infill[keyPath: role] = mark(first(of: texts))
        }
        endOfGeneration.formUnion([infill.padding, infill.repository, infill.fileSeparator].compactMap { $0 })
        for text in Self.endTexts {
            if let id = mark(find(text)) { endOfGeneration.insert(id) }
        }
        for text in Self.visibleTexts {
            if let id = table.find(text.utf8) { attributes[Int(id)] = [.userDefined, .visibleMark] }
        }
        endOfGeneration.formUnion([eos, eot, eom].compactMap { $0 })
        excludeInnerEnds(table, &attributes)
    }

    /// Whether a token of type `normal` is ordinary text, that is, the result of merging two other tokens. If it is not, the
    /// token is a mark with a wrong type.
    private func isOrdinaryText(_ id: TokenID, _ table: StringTable, _ attributes: TokenAttributes) -> Bool {
        guard attributes.contains(.normal), attributes.isText else { return false }
        let range = table.range(of: Int(id))
        return range.dropFirst().contains { middle in
            table.find(table.bytes, range.lowerBound..<middle) != nil
                && table.find(table.bytes, middle..<range.upperBound) != nil
        }
    }

    /// Determines the order of fill-in-the-middle prompts. Some families are trained with the suffix first. Their marks
    /// identify them, except for Mellum, which has the marks of StarCoder.
    mutating func setInfillOrder(_ table: StringTable, preTokenizer: String?) {
        func prefix(is text: String) -> Bool { infill.prefix.map { $0 == table.find(text.utf8) } ?? false }
        if prefix(is: "[PREFIX]") {
            // encode_fim of mistral-common: the prefix is last and the gap follows it. Tekken's [MIDDLE] is not used.
            infill.order = .suffixThenPrefix
        } else if prefix(is: "<[fim-prefix]>") || preTokenizer?.hasPrefix("mellum") ?? false {
            infill.order = .suffixPrefixMiddle
        }
        infill.namesFileInPrefix = infill.fileSeparator.map { $0 == table.find("<file_sep>".utf8) } ?? false
    }

    /// Removes end marks that, in some vocabularies, end only a part of the answer or are plain text.
    private mutating func excludeInnerEnds(_ table: StringTable, _ attributes: inout [TokenAttributes]) {
        let ends = endOfGeneration
        func has(_ text: String) -> Bool { table.find(text.utf8).map(ends.contains) ?? false }
        func drop(_ text: String, as kind: TokenAttributes) {
            guard let id = table.find(text.utf8), endOfGeneration.remove(id) != nil else { return }
            attributes[Int(id)] = kind
        }
        let calls = has("<|call|>") || has("<|calls|>")
        if calls, has("<|return|>") || has("<|flush|>") { drop("<|end|>", as: [.userDefined, .visibleMark]) }
        if has("<|tool_response>") { drop("</s>", as: .normal) }
    }
}
