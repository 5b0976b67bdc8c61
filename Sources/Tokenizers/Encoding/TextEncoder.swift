// Encoding texts: special tokens first, then the text between them.

/// A tokenizer with its working memory. The memory includes a cache of encoded words, which makes later texts faster and
/// never changes a token.
package struct TextEncoder {
    private enum Workspace {
        case bytePair(BytePairEncoder, BytePairEncoder.Workspace)
        case sentencePiece(SentencePieceEncoder, SentencePieceEncoder.Workspace)
        /// Moved out while it is in use.
        case none
    }

    private let tokenizer: Tokenizer
    private var workspace: Workspace

    /// An encoder for texts of `byteCount` bytes in total. Leave it out if the number is unknown.
    package init(_ tokenizer: Tokenizer, byteCount: Int = .max) {
        self.tokenizer = tokenizer
        workspace =
            switch tokenizer.encoder {
            case .bytePair(let encoder): .bytePair(encoder, encoder.makeWorkspace(byteCount: byteCount))
            case .sentencePiece(let encoder): .sentencePiece(encoder, encoder.makeWorkspace())
            }
    }

    /// The same tokens as ``Tokenizer/encode(_:addSpecial:parseSpecial:)-([UInt8],_,_)``.
    package mutating func encode(_ bytes: [UInt8], addSpecial: Bool, parseSpecial: Bool = false) -> [TokenID] {
        encode(
            bytes, (parseSpecial ? tokenizer.allMatcher : tokenizer.textMatcher).matches(in: bytes),
            addSpecial: addSpecial)
    }

    /// The tokens of plain text that continues another text.
    mutating func encodeContinuation(_ bytes: [UInt8]) -> [TokenID] {
        encode(bytes, tokenizer.textMatcher.matches(in: bytes), addSpecial: false, beginsText: false)
    }

    /// The same tokens as ``Tokenizer/encode(_:addSpecial:)``.
    mutating func encode(_ text: PromptText, addSpecial: Bool) -> [TokenID] {
        encode(
            text.bytes, tokenizer.allMatcher.matches(in: text.bytes, plainRanges: text.plainRanges),
            addSpecial: addSpecial)
    }

    private mutating func encode(
        _ bytes: [UInt8], _ matches: [SpecialTokenMatcher.Match], addSpecial: Bool, beginsText: Bool = true
    ) -> [TokenID] {
        var output: [TokenID] = []
        output.reserveCapacity(bytes.count / 3 + 2)
        if addSpecial, tokenizer.addsBOS, let bos = tokenizer.bos { output.append(bos) }
        // Move the workspace out, so that it is changed in place.
        let current = workspace
        workspace = .none
        switch consume current {
        case .bytePair(let encoder, var memory):
            eachFragment(bytes, matches, into: &output) { range, output in
                encoder.encode(bytes, range, into: &output, &memory)
            }
            workspace = .bytePair(encoder, memory)
        case .sentencePiece(let encoder, var memory):
            eachFragment(bytes, matches, into: &output) { range, output in
                encoder.encode(
                    bytes, range, prefixed: tokenizer.addsSpacePrefix && (beginsText || range.lowerBound > 0),
                    into: &output, &memory)
            }
            workspace = .sentencePiece(encoder, memory)
        case .none: break
        }
        if addSpecial, tokenizer.addsEOS, let eos = tokenizer.eos { output.append(eos) }
        return output
    }

    /// Appends the special tokens and calls `body` with each range of text between them.
    private func eachFragment(
        _ bytes: [UInt8], _ matches: [SpecialTokenMatcher.Match], into output: inout [TokenID],
        _ body: (Range<Int>, inout [TokenID]) -> Void
    ) {
        var start = 0
        for match in matches {
            if match.range.lowerBound > start { body(start..<match.range.lowerBound, &output) }
            output.append(match.token)
            start = match.range.upperBound
        }
        if start < bytes.count { body(start..<bytes.count, &output) }
    }
}
