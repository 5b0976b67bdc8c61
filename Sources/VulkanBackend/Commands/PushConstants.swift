// The parameters of a dispatch.

/// Parameters in the order in which a shader declares them, addresses first.
struct PushConstants {
    /// What every device allows.
    static let largestByteCount = 128

    private(set) var words: [UInt32] = []

    /// Addresses, then counts, then factors.
    init(_ addresses: [UInt64], _ counts: [Int] = [], _ factors: [Float] = []) {
        words.reserveCapacity(Self.largestByteCount / 4)
        for address in addresses {
            words.append(UInt32(truncatingIfNeeded: address))
            words.append(UInt32(truncatingIfNeeded: address >> 32))
        }
        for count in counts { words.append(UInt32(truncatingIfNeeded: count)) }
        for factor in factors { words.append(factor.bitPattern) }
    }
}
