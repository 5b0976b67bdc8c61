// Endings that are known not to occur.

package import Tokenizers

/// A fixed number of hashes of token sequences that were looked for in vain. Newer ones replace older ones; a hash that
/// two sequences share costs a draft, never an error.
package struct MissTable {
    private static let size = 1 << 12
    private var hashes = [UInt64](repeating: 0, count: size)

    package init() {}

    /// The hash of the sequence of one token.
    package static func begin(_ token: TokenID) -> UInt64 { mix(UInt64(UInt32(bitPattern: token)) | 1 << 32) }

    /// The hash of a sequence with one more token before it.
    package static func extend(_ hash: UInt64, _ token: TokenID) -> UInt64 {
        mix(hash ^ UInt64(UInt32(bitPattern: token)))
    }

    /// Whether the sequence of this hash is known to be missing.
    package func contains(_ hash: UInt64) -> Bool { hashes[Int(truncatingIfNeeded: hash) & (Self.size - 1)] == hash }

    /// Notes that the sequence of this hash is missing.
    package mutating func insert(_ hash: UInt64) { hashes[Int(truncatingIfNeeded: hash) & (Self.size - 1)] = hash }

    private static func mix(_ value: UInt64) -> UInt64 {
        let product = (value ^ value >> 31) &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 29
    }
}
