// Fits for tensor types without minima: the scales at which a block, or a super-block, has the least error.

// MARK: Levels

/// The values of a signed quantum in a type without minima: an ascending set of levels around zero, in units of the
/// scale.
protocol SymmetricLevels: SendableMetatype {
    /// The lowest level, which is farthest from zero.
    static var lower: Float { get }
    /// The highest level.
    static var upper: Float { get }
    /// The level nearest to each value.
    static func nearest(_ values: Lanes) -> Lanes
}

/// Levels that are the integers from `lower` to `upper`.
protocol IntegerLevels: SymmetricLevels {}

extension IntegerLevels {
    @inline(__always)
    static func nearest(_ values: Lanes) -> Lanes { values.nearestIntegers.clampedIntegers(lower, upper) }
}

/// A table that finds the nearest of sixteen unevenly spaced integer levels, for values in units of the scale.
///
/// The table has an entry for each multiple of ½, because the middle between two integers is such a multiple.
struct LevelTable: Sendable {
    private let levels: [Float]
    private let indices: [UInt8]
    /// Values are clamped to ±`bound`; no level is outside.
    private let bound: Float

    /// A table of `level(0)` … `level(15)`, all within ±`bound`. Of equal levels, the table contains the first.
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

    /// The position of each value in the tables.
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

// MARK: Blocks

/// Fits value ≈ scale · level by weighted least squares; the weights are ``Lanes/weights``.
///
/// The error as a function of the scale has many local minima. The search first tries scales that put the largest value
/// on, or near, either end of the levels. From the best one, it alternates between the nearest levels for a scale and
/// the best scale for these levels. No such round increases the error (Lloyd 1982, for a codebook with one free
/// parameter).
enum SymmetricFit<Levels: SymmetricLevels> {
    /// Sums over a group for one scale.
    struct Sums {
        /// Σ w · value · level and Σ w · level².
        var products: Float, squares: Float
        /// The part of Σ w · value² that the best scale for these levels explains.
        var gain: Float { squares > 0 ? products / squares * products : 0 }
    }

    /// How far beyond the end of the levels the search puts the largest value, in thirtieths of the lowest level.
    private static var overshoots: StrideThrough<Float> { stride(from: -6, through: 4, by: 1) }
    private static var refinements: Int { 4 }

    /// The sums over `count` lanes and their nearest levels for the scale 1 / `inverse`.
    static func sums(_ x: UnsafePointer<Lanes>, _ count: Int, inverse: Float) -> Sums {
        var products = Lanes(), squares = Lanes()
        for lane in 0..<count {
            let levels = Levels.nearest(x[lane] * inverse)
            let weighted = x[lane].weights * levels
            products += x[lane] * weighted
            squares += levels * weighted
        }
        return Sums(products: products.total, squares: squares.total)
    }

    /// The scale for `count` lanes of values. It is negative if that fits better, and 0 if all values are 0.
    static func scale(_ x: UnsafePointer<Lanes>, _ count: Int) -> Float {
        let peak = peak(x, count)
        guard peak.magnitude >= smallestPeak else { return 0 }
        var best = Sums(products: 0, squares: 0)
        for overshoot in overshoots {
            for end in [Levels.lower, Levels.upper] {
                let sums = sums(x, count, inverse: (end - overshoot / 30 * Levels.lower) / peak)
                if sums.gain > best.gain { best = sums }
            }
        }
        guard best.squares > 0 else { return 0 }
        for _ in 0..<refinements {
            let sums = sums(x, count, inverse: best.squares / best.products)
            guard sums.gain > best.gain else { break }
            best = sums
        }
        return best.products / best.squares
    }

    /// The weighted sum of squared differences between `count` lanes and their nearest multiples of `scale`.
    static func error(_ x: UnsafePointer<Lanes>, _ count: Int, scale: Float) -> Float {
        let inverse = scale == 0 ? 0 : 1 / scale
        var squares = Lanes()
        for lane in 0..<count {
            let difference = x[lane] - Levels.nearest(x[lane] * inverse) * scale
            squares += x[lane].weights * difference * difference
        }
        return squares.total
    }

    /// Writes the nearest levels of `count` lanes for `scale`.
    static func quantize(
        _ x: UnsafePointer<Lanes>, _ count: Int, scale: Float, into levels: UnsafeMutablePointer<Lanes>
    ) {
        let inverse = scale == 0 ? 0 : 1 / scale
        for lane in 0..<count { levels[lane] = Levels.nearest(x[lane] * inverse) }
    }
}

/// Groups of smaller values become zeros: f16 factors cannot represent them, and so small weights have no effect.
let smallestPeak: Float = 0x1p-40

// MARK: Super-blocks

/// Fits value ≈ factor · scale · level, with an integer scale per group and one f16 factor for all of them.
struct SymmetricSuperFit<Levels: SymmetricLevels> {
    /// Lanes of a group, 1 or 2. A super-block has 16 lanes.
    let groupLanes: Int
    /// The range of the integer scales.
    let lowestScale: Float, highestScale: Float

    /// The factor, rounded to f16, and the scales of the groups.
    struct Factors {
        var factor: Float = 0
        var scales = Lanes()
        /// The weighted sum of squared differences over the super-block.
        fileprivate var error = Float.infinity
    }

    private var rounds: Int { 3 }

    /// Fits a super-block and writes its quanta. The factor is infinite if the values are too large for it.
    func quantize(_ x: UnsafePointer<Lanes>, into quanta: UnsafeMutablePointer<Lanes>) -> Factors {
        let groups = 16 / groupLanes
        var ideal = Lanes()
        for group in 0..<groups { ideal[group] = SymmetricFit<Levels>.scale(x + group * groupLanes, groupLanes) }
        let largest = withUnsafePointer(to: ideal) { peak($0, 1) }
        guard largest != 0 else {
            for lane in 0..<16 { quanta[lane] = Lanes() }
            return Factors()
        }
        // The largest scale becomes the lowest or the highest integer; take whichever fits the super-block better.
        var best = refined(x, ideal, factor: largest / lowestScale)
        let other = refined(x, ideal, factor: largest / highestScale)
        if other.error < best.error { best = other }
        guard best.error.isFinite else { return Factors(factor: .infinity) }
        for group in 0..<groups {
            let first = group * groupLanes
            SymmetricFit<Levels>.quantize(
                x + first, groupLanes, scale: best.factor * best.scales[group], into: quanta + first)
        }
        return best
    }

    /// Alternates between the best scales for a factor and the best factor for those scales.
    private func refined(_ x: UnsafePointer<Lanes>, _ ideal: Lanes, factor: Float) -> Factors {
        var best = Factors()
        var factor = factor
        for _ in 0..<rounds {
            let rounded = Float(halfBits: factor.halfBits)
            guard rounded != 0, rounded.isFinite else { break }
            let found = choosingScales(x, ideal, factor: rounded)
            guard found.error < best.error else { break }
            best = found
            factor = bestFactor(x, found)
        }
        return best
    }

    /// For each group, the scale with the least error among the three nearest to its ideal scale.
    private func choosingScales(_ x: UnsafePointer<Lanes>, _ ideal: Lanes, factor: Float) -> Factors {
        var factors = Factors(factor: factor, error: 0)
        for group in 0..<16 / groupLanes {
            let nearest = (ideal[group] / factor).rounded()
            var best = (scale: Float(0), error: Float.infinity)
            for scale in [nearest, nearest - 1, nearest + 1] {
                let scale = min(max(scale, lowestScale), highestScale)
                let error = SymmetricFit<Levels>.error(x + group * groupLanes, groupLanes, scale: factor * scale)
                if error < best.error { best = (scale, error) }
            }
            factors.scales[group] = best.scale
            factors.error += best.error
        }
        return factors
    }

    /// The factor with the least squared error for the quanta that `factors` gives.
    private func bestFactor(_ x: UnsafePointer<Lanes>, _ factors: Factors) -> Float {
        var products: Float = 0, squares: Float = 0
        for group in 0..<16 / groupLanes {
            let scale = factors.scales[group]
            let sums = SymmetricFit<Levels>.sums(
                x + group * groupLanes, groupLanes, inverse: scale == 0 ? 0 : 1 / (factors.factor * scale))
            products += scale * sums.products
            squares += scale * scale * sums.squares
        }
        return squares > 0 ? products / squares : factors.factor
    }
}
