// Nearest levels of formats whose sixteen levels are unevenly spaced.

/// For values in units of the scale: which of sixteen integer levels is nearest, by a table look-up.
///
/// The table has an entry for every half, because the middle between two integers is a multiple of a half.
struct LevelTable: Sendable {
    private let levels: [Float]
    private let indices: [UInt8]
    /// Values are brought into ±this; no level lies beyond.
    private let bound: Float

    /// A table of `level(0)` … `level(15)`, none of them beyond ±`bound`. Of equal levels the first is chosen.
    init(bound: Int, level: (UInt8) -> Int8) {
        let values = (UInt8(0)..<16).map { Float(level($0)) }
        let nearest = (0..<4 * bound).map { position in
            let middle = (Float(position) + 0.5) / 2 - Float(bound)
            return values.indices.min { (values[$0] - middle).magnitude < (values[$1] - middle).magnitude } ?? 0
        }
        self.bound = Float(bound)
        levels = nearest.map { values[$0] }
        indices = nearest.map { UInt8($0) }
    }

    /// Where each value's level stands in the tables.
    @inline(__always)
    private func positions(_ values: Lanes) -> SIMD16<Int32> {
        let halves = (values * 2 + Lanes(repeating: 2 * bound - 0.5)).nearestIntegers
        return halves.clampedIntegers(0, 4 * bound - 1).integers
    }

    /// The level nearest to each value.
    @inline(__always)
    func nearest(_ values: Lanes) -> Lanes {
        let positions = positions(values)
        return levels.withUnsafeBufferPointer { levels in
            var nearest = Lanes()
            for i in 0..<16 { nearest[i] = levels[Int(positions[i])] }
            return nearest
        }
    }

    /// The index of the level nearest to each value.
    func indices(_ values: Lanes) -> SIMD16<UInt8> {
        let positions = positions(values)
        var nearest = SIMD16<UInt8>()
        for i in 0..<16 { nearest[i] = indices[Int(positions[i])] }
        return nearest
    }
}
