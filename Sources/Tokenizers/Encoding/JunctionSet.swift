// Which bytes can stand next to each other within a token.

/// A set of pairs of neighbouring bytes. No merge reaches across a pair that no token contains, so that words can be
/// cut there without changing what they merge to.
struct JunctionSet: Sendable {
    private var bits = [UInt64](repeating: 0, count: 1 << 10)

    private static func index(_ left: UInt8, _ right: UInt8) -> Int { Int(left) << 8 | Int(right) }

    mutating func insert(_ left: UInt8, _ right: UInt8) {
        let index = Self.index(left, right)
        bits[index >> 6] |= 1 << UInt64(index & 63)
    }

    func contains(_ left: UInt8, _ right: UInt8) -> Bool {
        let index = Self.index(left, right)
        return bits[index >> 6] >> UInt64(index & 63) & 1 != 0
    }
}
