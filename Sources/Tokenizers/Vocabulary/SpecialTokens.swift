// Finding the tokens that carry structure: ends of turns, fill-in-the-middle marks, and so on.

/// The ids of the tokens with a role, found by key or else by their text, and the set that ends a generation.
///
/// The order of the rules is that of llama.cpp (`llama-vocab.cpp`), and the texts include all that it knows; where
/// several texts of one list are in the vocabulary, the first of the list is taken here. Unlike there, a token that is
/// ordinary text, such as `</s>` in the vocabularies of Qwen, is no mark.
struct SpecialTokens: Sendable {
    var bos: TokenID?
    var eos: TokenID?
    var eot: TokenID?
    var eom: TokenID?
    var unknown: TokenID?
    var padding: TokenID?
    var infill = InfillTokens()
    var endOfGeneration: Set<TokenID> = []

    /// Takes the ids the file names. One outside the vocabulary counts as absent, and leaves the default.
    init(keys: [String: Int], defaults: (bos: Int?, eos: Int, unknown: Int?), count: Int) {
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
    /// Marks of the Harmony format that belong to the text a chat program reads.
    private static let visibleTexts = ["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"]

    /// Fills what the keys left open from the texts, and marks what was found as control tokens.
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
        // A mark that the file counts as text added whole would be found in what a person writes.
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

    /// Whether a token of the kind of text is what the vocabulary makes of that text, by its last merge, rather than a mark
    /// of the wrong kind.
    private func isOrdinaryText(_ id: TokenID, _ table: StringTable, _ attributes: TokenAttributes) -> Bool {
        guard attributes.contains(.normal), attributes.isText else { return false }
        let range = table.range(of: Int(id))
        return range.dropFirst().contains { middle in
            table.find(table.bytes, range.lowerBound..<middle) != nil
                && table.find(table.bytes, middle..<range.upperBound) != nil
        }
    }

    /// Some families are trained with the suffix first; the marks tell them apart but for Mellum, which shares
    /// StarCoder's.
    mutating func setInfillOrder(_ table: StringTable, preTokenizer: String?) {
        func prefix(is text: String) -> Bool { infill.prefix.map { $0 == table.find(text.utf8) } ?? false }
        if prefix(is: "[PREFIX]") {
            // mistral-common's encode_fim: the prefix comes last and the gap follows it. Tekken's [MIDDLE] is not used.
            infill.order = .suffixThenPrefix
        } else if prefix(is: "<[fim-prefix]>") || preTokenizer?.hasPrefix("mellum") ?? false {
            infill.order = .suffixPrefixMiddle
        }
        infill.namesFileInPrefix = infill.fileSeparator.map { $0 == table.find("<file_sep>".utf8) } ?? false
    }

    /// Some vocabularies have an end mark that ends a part of the answer only, or is plain text.
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
