// Tokens to text.

import InferGGUF

extension Tokenizer {
    /// The bytes `token` stands for: part of a character, or several. Control tokens give their spelling; ids outside
    /// the vocabulary nothing.
    public func bytes(of token: TokenID) -> ArraySlice<UInt8> {
        pieces.indices.contains(Int(token)) ? pieces[Int(token)] : []
    }

    /// Whether `token` is structure rather than text.
    public func isControl(_ token: TokenID) -> Bool {
        attributes.indices.contains(Int(token)) && !attributes[Int(token)].isDisjoint(with: .structural)
    }

    /// The bytes that `tokens` stand for, taken as a whole text: the space that encoding puts before it is taken away.
    ///
    /// - Parameter includingControl: Whether control tokens appear, by their spelling.
    public func bytes(of tokens: some Sequence<TokenID>, includingControl: Bool = true) -> [UInt8] {
        var detokenizer = StreamingDetokenizer(
            self, beginsText: true, includesControl: includingControl)
        var bytes: [UInt8] = []
        for token in tokens { bytes.append(contentsOf: detokenizer.bytes(of: token)) }
        return bytes
    }

    /// The text that `tokens` stand for, taken as a whole; bytes that are not UTF-8 become U+FFFD.
    ///
    /// - Parameter includingControl: Whether control tokens appear, by their spelling.
    public func decode(_ tokens: some Sequence<TokenID>, includingControl: Bool = true) -> String {
        String(decoding: bytes(of: tokens, includingControl: includingControl), as: UTF8.self)
    }
}
