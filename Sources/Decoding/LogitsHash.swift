// A hash of logits, to compare every bit of all used rows of two runs.

/// A 64-bit hash over a sequence of logits rows.
///
/// A row's hash depends only on the bit patterns and the order of its values. Definition: pairs of consecutive values are words w
/// of 64 bits, the first value in the low half, an odd last one paired with 0. Word i updates lane i mod 8, which starts at
/// `seeds[i mod 8]`, by the round of XXH64: h ← ((h + w · P₂) ⋘ 31) · P₁. The lanes, then the number of values, are folded by the
/// same round into one state that starts at 0. A sequence folds its rows' hashes in the same way. It is not a cryptographic hash.
package struct LogitsHash: Sendable, Hashable {
    /// The hash of the rows so far.
    package private(set) var value: UInt64 = 0

    private static let seeds = SIMD8<UInt64>(
        0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7344, 0xA409_3822_299F_31D0, 0x082E_FA98_EC4E_6C89,
        0x4528_21E6_38D0_1377, 0xBE54_66CF_34E9_0C6C, 0xC0AC_29B7_C97C_50DD, 0x3F84_D5B5_B547_0917)

    /// The hash of no rows.
    package init() {}

    /// Adds the next row.
    package mutating func append(_ row: UnsafeBufferPointer<Float>) { append(rowHash: Self.hash(row)) }

    /// Adds the next row by its hash.
    package mutating func append(rowHash: UInt64) { value = Self.mix(value, rowHash) }

    /// The hash of a single row.
    package static func hash(_ row: UnsafeBufferPointer<Float>) -> UInt64 {
        let bytes = UnsafeRawBufferPointer(row)
        var lane0 = seeds[0]
        var lane1 = seeds[1]
        var lane2 = seeds[2]
        var lane3 = seeds[3]
        var lane4 = seeds[4]
        var lane5 = seeds[5]
        var lane6 = seeds[6]
        var lane7 = seeds[7]
        let blockEnd = bytes.count - bytes.count % 64
        var offset = 0
        // Eight independent chains, written out so that they stay in registers.
        while offset < blockEnd {
            lane0 = mix(lane0, bytes.word(at: offset))
            lane1 = mix(lane1, bytes.word(at: offset + 8))
            lane2 = mix(lane2, bytes.word(at: offset + 16))
            lane3 = mix(lane3, bytes.word(at: offset + 24))
            lane4 = mix(lane4, bytes.word(at: offset + 32))
            lane5 = mix(lane5, bytes.word(at: offset + 40))
            lane6 = mix(lane6, bytes.word(at: offset + 48))
            lane7 = mix(lane7, bytes.word(at: offset + 56))
            offset += 64
        }
        var lanes = SIMD8(lane0, lane1, lane2, lane3, lane4, lane5, lane6, lane7)
        var lane = 0
        while offset < bytes.count {
            let isPair = offset + 8 <= bytes.count
            lanes[lane] = mix(lanes[lane], isPair ? bytes.word(at: offset) : bytes.halfWord(at: offset))
            lane += 1
            offset += 8
        }
        var state: UInt64 = 0
        for lane in lanes.indices { state = mix(state, lanes[lane]) }
        return mix(state, UInt64(row.count))
    }

    /// A bijection in each argument. The word is multiplied before it is added to the state. Otherwise a flipped bit of one word
    /// could cancel that of an earlier word in the same lane.
    @inline(__always)
    private static func mix(_ state: UInt64, _ word: UInt64) -> UInt64 {
        let sum = state &+ word &* 0xC2B2_AE3D_27D4_EB4F
        return (sum << 31 | sum >> 33) &* 0x9E37_79B1_85EB_CA87
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    fileprivate func word(at offset: Int) -> UInt64 { loadUnaligned(fromByteOffset: offset, as: UInt64.self) }

    fileprivate func halfWord(at offset: Int) -> UInt64 {
        UInt64(loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
