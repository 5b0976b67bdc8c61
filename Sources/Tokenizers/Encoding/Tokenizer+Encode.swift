// Text to tokens.

extension Tokenizer {
    /// The tokens of `text`.
    ///
    /// - Parameters:
    ///   - text: Text, or any bytes.
    ///   - addSpecial: Whether to put ``bos`` before and ``eos`` after the text where the model is made for it.
    ///   - parseSpecial: Whether the spelling of a control token, such as `<|im_end|>`, becomes that token. Leave it
    ///     out for text from elsewhere. Tokens the vocabulary counts as text are always found.
    public func encode(_ text: String, addSpecial: Bool = true, parseSpecial: Bool = false) -> [TokenID] {
        encode(Array(text.utf8), addSpecial: addSpecial, parseSpecial: parseSpecial)
    }

    /// The tokens of bytes, which need not be UTF-8.
    ///
    /// Byte-level vocabularies read every byte that belongs to no UTF-8 sequence as U+FFFD, as llama.cpp does;
    /// SentencePiece ones keep it.
    public func encode(_ bytes: [UInt8], addSpecial: Bool = true, parseSpecial: Bool = false) -> [TokenID] {
        var output: [TokenID] = []
        if addSpecial, addsBOS, let bos { output.append(bos) }
        let matches = (parseSpecial ? allMatcher : textMatcher).matches(in: bytes)
        switch encoder {
        case .bytePair(let encoder):
            var workspace = encoder.makeWorkspace()
            eachFragment(bytes, matches, into: &output) { range, output in
                encoder.encode(bytes, range, into: &output, &workspace)
            }
        case .sentencePiece(let encoder):
            var workspace = encoder.makeWorkspace()
            eachFragment(bytes, matches, into: &output) { range, output in
                encoder.encode(bytes, range, prefixed: addsSpacePrefix, into: &output, &workspace)
            }
        }
        if addSpecial, addsEOS, let eos { output.append(eos) }
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
