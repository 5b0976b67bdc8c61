// A token that may be drawn, in a form that sorts as fast as an integer.

/// A token and its logit, ordered by likelihood: the higher logit, and of equal ones the lower id, is the greater candidate.
struct Candidate: Comparable {
    /// The logit's order-preserving bits above the complement of the id.
    private let key: UInt64

    /// The candidate `token`; `logit` is not NaN.
    init(token: Int32, logit: Float) {
        // Adding 0 turns −0, which compares equal to 0 but has other bits, into 0.
        let bits = (logit + 0).bitPattern
        let ordered = bits >> 31 == 0 ? bits | 1 << 31 : ~bits
        key = UInt64(ordered) << 32 | UInt64(~UInt32(bitPattern: token))
    }

    /// The token's id.
    var token: Int32 { Int32(bitPattern: ~UInt32(truncatingIfNeeded: key)) }

    /// Its logit.
    var logit: Float {
        let ordered = UInt32(truncatingIfNeeded: key >> 32)
        return Float(bitPattern: ordered >> 31 == 1 ? ordered & ~(1 << 31) : ~ordered)
    }

    static func < (a: Candidate, b: Candidate) -> Bool { a.key < b.key }
}
