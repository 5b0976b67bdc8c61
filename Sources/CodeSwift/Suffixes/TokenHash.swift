// Hashes of token sequences.

import InferTokenizers

/// Hashes that grow token by token, good enough to know a sequence by.
enum TokenHash {
    /// The hash of the sequence of one token.
    static func begin(_ token: TokenID) -> UInt64 { mix(UInt64(UInt32(bitPattern: token)) | 1 << 32) }

    /// The hash of a sequence with one more token.
    static func extend(_ hash: UInt64, _ token: TokenID) -> UInt64 { mix(hash ^ UInt64(UInt32(bitPattern: token))) }

    private static func mix(_ value: UInt64) -> UInt64 {
        let product = (value ^ value >> 31) &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 29
    }
}
