// The prompt that asks a model to fill a gap in a text.

public import InferSupport

/// A gap in a text: the text before and after it, and related files.
///
/// The order of the parts is the one the model was trained with (Bavarian et al., arXiv 2207.14255): prefix first ("PSM")
/// or suffix first ("SPM"). If the vocabulary has marks for files, the other files are written as repository-level context
/// (Qwen2.5-Coder, arXiv 2409.12186, section 3.2.2; StarCoder2, arXiv 2402.19173, section 5.1; Mellum).
public struct InfillPrompt: Sendable {
    /// The text before the gap.
    public var prefix: String
    /// The text after the gap.
    public var suffix: String
    /// Name of the file with the gap.
    public var fileName: String?
    /// Name of the repository.
    public var repositoryName: String?
    /// Other files; the most relevant is the last.
    public var context: [SourceFile]

    /// A prompt for the gap between `prefix` and `suffix`.
    public init(
        prefix: String, suffix: String, fileName: String? = nil, repositoryName: String? = nil,
        context: [SourceFile] = []
    ) {
        self.prefix = prefix
        self.suffix = suffix
        self.fileName = fileName
        self.repositoryName = repositoryName
        self.context = context
    }

    /// The tokens of the prompt, at most `limit`.
    ///
    /// If the prompt is too long, the context is cut first, at its beginning. Then the prefix is cut at its beginning and
    /// the suffix at its end; the prefix gets three quarters of the room, or more if the suffix needs less than a quarter.
    /// A beginning is cut by whole multiples of an eighth of its room. So the prompts of a text that grows at the gap mostly begin
    /// with the same tokens, whose state can be reused.
    ///
    /// - Throws: `InferenceError` with `unsupportedTokenizer` if the vocabulary has no marks for a gap, and with
    ///   `contextFull` if `limit` leaves no room for text.
    public func tokens(for tokenizer: Tokenizer, limit: Int = .max) throws(InferenceError) -> [TokenID] {
        let marks = tokenizer.infill
        let hasMiddle = marks.order != .suffixThenPrefix
        guard let prefixMark = marks.prefix, let suffixMark = marks.suffix, !hasMiddle || marks.middle != nil else {
            throw InferenceError(
                .unsupportedTokenizer, "the model cannot fill gaps: its vocabulary has no fill-in-the-middle tokens")
        }
        let end = hasMiddle ? [marks.middle].compactMap(\.self) : []
        let begin = tokenizer.addsBOS ? [tokenizer.bos].compactMap { $0 } : []
        let room = limit - begin.count - 2 - end.count
        guard room > 0 else {
            throw InferenceError(
                .contextFull, "a limit of \(limit) tokens leaves no room for text around a gap")
        }
        let name = marks.namesFileInPrefix ? fileName.map { $0 + "\n" } ?? "" : ""
        var before = tokenizer.encode(name + prefix, addSpecial: false)
        var after = tokenizer.encodeContinuation(suffix)
        if before.count + after.count > room {
            let kept = min(before.count, max(room - after.count, room - room / 4))
            before.removeFirst(Self.cut(before.count, to: kept))
            after.removeLast(max(0, after.count - (room - kept)))
        }
        let context = surroundings(tokenizer)
        let around = Array(context.dropFirst(Self.cut(context.count, to: room - before.count - after.count)))
        if marks.order == .prefixSuffixMiddle {
            return begin + around + [prefixMark] + before + [suffixMark] + after + end
        }
        // Without a mark for files, they go to the beginning of the prefix, because in training nothing precedes the suffix.
        let (first, inner) = marks.fileSeparator == nil ? ([], around) : (around, [])
        return begin + first + [suffixMark] + after + [prefixMark] + inner + before + end
    }

    /// The number of tokens to remove from the beginning of `count`, so that at most `kept` are left.
    private static func cut(_ count: Int, to kept: Int) -> Int {
        guard count > kept else { return 0 }
        let unit = max(1, kept / 8)
        return min(count, (count - kept + unit - 1) / unit * unit)
    }

    /// The repository-level context: names and texts of the other files, then the name of the file with the gap.
    private func surroundings(_ tokenizer: Tokenizer) -> [TokenID] {
        func plain(_ text: String) -> [TokenID] { tokenizer.encode(text, addSpecial: false) }
        var tokens: [TokenID] = []
        if let mark = tokenizer.infill.repository, let repositoryName {
            tokens += [mark] + plain(repositoryName + (tokenizer.infill.namesFileInPrefix ? "" : "\n"))
        }
        for file in context {
            if let mark = tokenizer.infill.fileSeparator {
                tokens += [mark] + plain(file.name + "\n")
            } else {
                tokens += plain("\n\n--- snippet ---\n\n")
            }
            tokens += plain(file.text)
        }
        if let mark = tokenizer.infill.fileSeparator, let fileName {
            tokens += [mark] + (tokenizer.infill.namesFileInPrefix ? [] : plain(fileName + "\n"))
        }
        return tokens
    }
}

/// Another file of the repository, or part of one, as context for the model.
public struct SourceFile: Hashable, Sendable {
    /// The name that the model sees, relative to the root of the repository.
    public var name: String
    /// The text.
    public var text: String

    /// A file.
    public init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}

/// The tokens that mark the parts of a fill-in-the-middle prompt; nil if the vocabulary has none.
public struct InfillTokens: Sendable {
    /// The order of the parts.
    public enum Order: Sendable {
        /// Prefix, suffix, mark of the gap.
        case prefixSuffixMiddle
        /// Suffix, prefix, mark of the gap.
        case suffixPrefixMiddle
        /// Suffix, prefix. The gap follows without a mark.
        case suffixThenPrefix
    }

    /// Precedes the text before the gap.
    public internal(set) var prefix: TokenID?
    /// Precedes the text after the gap.
    public internal(set) var suffix: TokenID?
    /// Ends the prompt. The text for the gap follows.
    public internal(set) var middle: TokenID?
    /// Pads a prompt.
    public internal(set) var padding: TokenID?
    /// Precedes the name of the repository.
    public internal(set) var repository: TokenID?
    /// Precedes the name of each file.
    public internal(set) var fileSeparator: TokenID?
    /// The order that the model was trained with.
    public internal(set) var order = Order.prefixSuffixMiddle
    /// Whether the name of the file with the gap is written in the prefix rather than before its mark (StarCoder2).
    var namesFileInPrefix = false
}
