// The completion of the text at a cursor: its prompt, its limits, and what of the answer is shown.

#if Server

package import InferSupport
package import InferTokenizers
package import SwiftInfer

/// A gap in a document, as an editor asks for it to be filled.
package struct InlineCompletion: Sendable {
    /// The text before and after the cursor.
    package var prefix: String, suffix: String
    /// The name of the document, relative to the workspace.
    package var fileName: String?
    /// The name of the workspace.
    package var repositoryName: String?
    /// Other open documents, the one changed last at the end.
    package var context: [SourceFile] = []
    /// Whether the user asked for it, rather than only typed.
    package var isInvoked = false

    /// The gap between `prefix` and `suffix`.
    package init(prefix: String, suffix: String, isInvoked: Bool = false) {
        (self.prefix, self.suffix, self.isInvoked) = (prefix, suffix, isInvoked)
    }

    /// The length of the text after the cursor that the model sees. It comes after the text before the cursor in most prompts, so it
    /// is computed anew after each key.
    private static let suffixLines = 48
    private static let suffixBytes = 2048

    /// The prompt, at most `limit` tokens. Models that cannot fill gaps continue the text before the cursor.
    package func tokens(for model: Model, limit: Int) throws(InferenceError) -> [TokenID] {
        let prompt = InfillPrompt(
            prefix: prefix, suffix: String(shortSuffix), fileName: fileName, repositoryName: repositoryName,
            context: context)
        do throws(InferenceError) {
            return try prompt.tokens(for: model.tokenizer, limit: limit)
        } catch  where error.code == .unsupportedTokenizer {
            let tokens = try model.tokens(for: .text(prefix))
            return Array(tokens.suffix(limit))
        }
    }

    private var shortSuffix: Substring {
        var lines = 0
        var end = suffix.unicodeScalars.startIndex
        while end < suffix.unicodeScalars.endIndex, lines < Self.suffixLines {
            if suffix.unicodeScalars[end] == "\n" { lines += 1 }
            suffix.unicodeScalars.formIndex(after: &end)
            if suffix.utf8.distance(from: suffix.startIndex, to: end) >= Self.suffixBytes { break }
        }
        return suffix[..<end]
    }

    /// The options of the generation: within a line only its rest, otherwise lines of the block that the cursor is in.
    package var options: GenerationOptions {
        var options = GenerationOptions(maximumTokens: isInvoked ? 160 : 64)
        if isWithinLine {
            options.stop = ["\n"]
        } else {
            options.minimumIndentation = indentation
            options.timeLimitAfterNewline = .seconds(isInvoked ? 4 : 1)
        }
        return options
    }

    /// Whether text follows in the line of the cursor.
    private var isWithinLine: Bool {
        suffix.prefix { !$0.isNewline }.contains { !$0.isWhitespace && !")]}>;,\"'`".contains($0) }
    }

    /// The number of spaces and tabs that the line of the cursor begins with.
    private var indentation: Int {
        let line = prefix.suffix(while: { !$0.isNewline })
        return line.prefix { $0 == " " || $0 == "\t" }.count
    }

    /// The part of an answer that is worth showing: without empty lines at its end, and without lines that are there already.
    package func shown(of answer: String) -> String {
        var lines = answer.split(separator: "\n", omittingEmptySubsequences: false)
        let following = suffix.split(whereSeparator: \.isNewline).lazy
            .map { $0.filter { !$0.isWhitespace } }.first { $0.count > 3 }
        if let following,
            let repeated = lines.dropFirst().firstIndex(where: { $0.filter { !$0.isWhitespace } == following })
        {
            lines.removeLast(lines.count - repeated)
        }
        while lines.count > 1, lines.last?.allSatisfy(\.isWhitespace) ?? false { lines.removeLast() }
        let text = lines.joined(separator: "\n")
        return text.allSatisfy(\.isWhitespace) ? "" : text
    }
}

extension StringProtocol {
    /// The longest end of the text whose characters all satisfy `predicate`.
    fileprivate func suffix(while predicate: (Character) -> Bool) -> SubSequence {
        let start = lastIndex { !predicate($0) }.map(index(after:)) ?? startIndex
        return self[start...]
    }
}

#endif
