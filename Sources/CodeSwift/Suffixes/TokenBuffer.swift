// Token ids in memory that something else owns, two or four bytes each.

/// A read-only view of token ids; reading beyond the end gives the separator.
struct TokenBuffer {
    let bytes: UnsafeRawBufferPointer
    let count: Int
    /// Two or four.
    let width: Int
    /// The id that stands between documents: the one after the vocabulary's last.
    let separator: UInt32

    /// Bytes per token that hold every id of a vocabulary of `count` tokens, and the separator.
    static func width(vocabularyCount count: Int) -> Int { count < 1 << 16 ? 2 : 4 }

    /// The id at `position`, which need not be inside.
    subscript(position: Int) -> UInt32 {
        guard position >= 0, position < count else { return separator }
        if width == 2 { return UInt32(bytes.load(fromByteOffset: position &* 2, as: UInt16.self)) }
        return bytes.load(fromByteOffset: position &* 4, as: UInt32.self)
    }
}
