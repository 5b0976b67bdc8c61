// The prompt that asks a model to fill a gap in a text.

public import InferSupport

/// A gap in a text, with what is before and after it, and the files around it.
///
/// The parts are in the order the model's family was trained with (Bavarian et al., arXiv 2207.14255): prefix first
/// ("PSM") or suffix first ("SPM"). The other files come as repository-level context (Qwen2.5-Coder, arXiv 2409.12186,
/// section 3.2.2; StarCoder2, arXiv 2402.19173, section 5.1; Mellum) where the vocabulary has marks for it.
public struct InfillPrompt: Sendable {
    /// The text before the gap.
    public var prefix: String
    /// The text after the gap.
    public var suffix: String
    /// Name of the file the gap is in.
    public var fileName: String?
    /// Name of the repository.
    public var repositoryName: String?
    /// Other files, the most relevant last.
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
    /// What does not fit is cut from the far ends: the context goes first, from its beginning; then the prefix loses
    /// its beginning and the suffix its end, at three quarters of the room for the prefix unless the suffix needs less.
    ///
    /// - Throws: `InferenceError` with `unsupportedTokenizer` when the vocabulary has no marks for a gap, and with
    ///   `contextFull` when `limit` leaves no room for text.
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
            before.removeFirst(before.count - kept)
            after.removeLast(max(0, after.count - (room - kept)))
        }
        let around = Array(surroundings(tokenizer).suffix(room - before.count - after.count))
        if marks.order == .prefixSuffixMiddle {
            return begin + around + [prefixMark] + before + [suffixMark] + after + end
        }
        // Where files have no mark, they are the beginning of the prefix: nothing precedes the suffix in training.
        let (first, inner) = marks.fileSeparator == nil ? ([], around) : (around, [])
        return begin + first + [suffixMark] + after + [prefixMark] + inner + before + end
    }

    /// The repository-level context: names and texts of the other files, then the name of the current one.
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
