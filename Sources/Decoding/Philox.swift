// The counter-based random generator behind sampling.

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a pure function from a counter and a
/// key to 128 random bits. It has no state, so the draw for a position does not depend on how often or in which order positions are
/// visited. Therefore drafting does not change sampled text.
package enum Philox {
    private static let multipliers: (UInt32, UInt32) = (0xD251_1F53, 0xCD9E_8D57)
    private static let keyIncrements: (UInt32, UInt32) = (0x9E37_79B9, 0xBB67_AE85)
    private static let rounds = 10

    /// The four random words of `counter` under `key`.
    package static func words(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var x = counter
        var key = key
        for _ in 0..<rounds {
            let first = multipliers.0.multipliedFullWidth(by: x[0])
            let second = multipliers.1.multipliedFullWidth(by: x[2])
            x = SIMD4(second.high ^ x[1] ^ key[0], second.low, first.high ^ x[3] ^ key[1], first.low)
            key[0] &+= keyIncrements.0
            key[1] &+= keyIncrements.1
        }
        return x
    }

    /// The draw for the token at `position`: a multiple of 2⁻⁵³ in 0..<1.
    package static func uniform(seed: UInt64, position: Int) -> Double {
        let position = UInt64(bitPattern: Int64(position))
        let words = words(
            counter: SIMD4(UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position >> 32), 0, 0),
            key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
        let bits = UInt64(words[0]) | UInt64(words[1]) << 32
        return Double(bits >> 11) * 0x1p-53
    }
}
