// A token that may be chosen, in a form that sorts as fast as an integer.

/// A token and its logit, ordered by likelihood: the higher logit, and of equal ones the lower id, is the greater candidate.
package struct Candidate: Comparable, Sendable {
    /// The logit's order-preserving bits above the complement of the id; never 0.
    package let key: UInt64

    /// The candidate `token`, which is not negative; `logit` is not NaN.
    package init(token: Int32, logit: Float) {
        // Adding 0 turns −0, which compares equal to 0 but has other bits, into 0.
        let bits = (logit + 0).bitPattern
        let ordered = bits >> 31 == 0 ? bits | 1 << 31 : ~bits
        key = UInt64(ordered) << 32 | UInt64(~UInt32(bitPattern: token))
    }

    /// The candidate that has this key; nil for 0, which none has.
    package init?(key: UInt64) {
        if key == 0 { return nil }
        self.key = key
    }

    /// The token's id.
    package var token: Int32 { Int32(bitPattern: ~UInt32(truncatingIfNeeded: key)) }

    /// Its logit.
    package var logit: Float {
        let ordered = UInt32(truncatingIfNeeded: key >> 32)
        return Float(bitPattern: ordered >> 31 == 1 ? ordered & ~(1 << 31) : ~ordered)
    }

    package static func < (a: Candidate, b: Candidate) -> Bool { a.key < b.key }
}
