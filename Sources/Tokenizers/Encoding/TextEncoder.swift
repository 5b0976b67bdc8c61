// Encoding one text after another.

/// A tokenizer with the memory it works in. What it learns of one text's words makes the next text faster, and never
/// changes a token.
package struct TextEncoder {
    private enum Workspace {
        case bytePair(BytePairEncoder, BytePairEncoder.Workspace)
        case sentencePiece(SentencePieceEncoder, SentencePieceEncoder.Workspace)
        /// In use.
        case none
    }

    private let tokenizer: Tokenizer
    private var workspace: Workspace

    /// An encoder for texts of `byteCount` bytes in all, or of a number that is not known.
    package init(_ tokenizer: Tokenizer, byteCount: Int = .max) {
        self.tokenizer = tokenizer
        workspace =
            switch tokenizer.encoder {
            case .bytePair(let encoder): .bytePair(encoder, encoder.makeWorkspace(byteCount: byteCount))
            case .sentencePiece(let encoder): .sentencePiece(encoder, encoder.makeWorkspace())
            }
    }

    /// The tokens of bytes, as ``Tokenizer/encode(_:addSpecial:parseSpecial:)-([UInt8],_,_)`` gives them.
    package mutating func encode(_ bytes: [UInt8], addSpecial: Bool, parseSpecial: Bool = false) -> [TokenID] {
        encode(
            bytes, (parseSpecial ? tokenizer.allMatcher : tokenizer.textMatcher).matches(in: bytes),
            addSpecial: addSpecial)
    }

    /// The tokens of plain text with no space put before it.
    mutating func encodeContinuation(_ bytes: [UInt8]) -> [TokenID] {
        encode(bytes, tokenizer.textMatcher.matches(in: bytes), addSpecial: false, beginsText: false)
    }

    /// The tokens of a text with plain parts, as ``Tokenizer/encode(_:addSpecial:)`` gives them.
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
        // Taken out while it is in use, so that it is changed in place.
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

    /// Appends the special tokens, and calls `body` with the text between them: every such text follows a special token
    /// or nothing.
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
