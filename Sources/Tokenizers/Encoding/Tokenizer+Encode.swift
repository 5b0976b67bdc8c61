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
        var encoder = TextEncoder(self, byteCount: bytes.count)
        return encoder.encode(bytes, addSpecial: addSpecial, parseSpecial: parseSpecial)
    }

    /// The tokens of a text in which only the format's part may hold control tokens.
    public func encode(_ text: PromptText, addSpecial: Bool = true) -> [TokenID] {
        var encoder = TextEncoder(self, byteCount: text.bytes.count)
        return encoder.encode(text, addSpecial: addSpecial)
    }

    /// The tokens of plain text that goes on within a text, so that it gets no space before it.
    func encodeContinuation(_ text: String) -> [TokenID] {
        let bytes = Array(text.utf8)
        var encoder = TextEncoder(self, byteCount: bytes.count)
        return encoder.encodeContinuation(bytes)
    }
}
