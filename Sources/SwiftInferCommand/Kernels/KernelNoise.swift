// Made-up values for kernels that are timed.

/// Values between −1 and 1, scattered evenly, the same in every run.
struct KernelNoise {
    private var state: UInt32 = 1

    /// The next `count` values.
    mutating func values(_ count: Int) -> [Float] {
        (0..<count).map { _ in
            // The multiplier of L'Ecuyer, Math. Comp. 68 (1999), for a modulus of 2³².
            state = state &* 2_891_336_453 &+ 1
            return Float(Int32(bitPattern: state)) / 0x1p31
        }
    }
}

extension Float {
    /// How many floats lie between two, one of them counted; 0 for two NaNs.
    func ulps(from other: Float) -> Int {
        if isNaN, other.isNaN { return 0 }
        // Bit patterns in the order of the values; −0 and +0 are neighbours.
        func rank(_ value: Float) -> Int {
            let bits = Int(value.bitPattern)
            return bits < 1 << 31 ? bits : (1 << 31) - 1 - bits
        }
        return abs(rank(self) - rank(other))
    }
}
