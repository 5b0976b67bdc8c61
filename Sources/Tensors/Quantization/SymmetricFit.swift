// The scale at which a group's values lie nearest to multiples of the levels.

/// Fits value ≈ scale · level in the sense of weighted least squares; the weights are ``Lanes/weights``.
///
/// The error as a function of the scale has many minima. The search tries scales that put the largest value on, or a
/// little beside, either end of the levels; then, from the best, it alternates between the nearest levels for a scale
/// and the best scale for those levels, which never makes the error larger (Lloyd 1982, for a codebook of one free
/// parameter).
enum SymmetricFit<Levels: SymmetricLevels> {
    /// Sums over a group at one scale.
    struct Sums {
        /// Σ w · value · level and Σ w · level².
        var products: Float, squares: Float
        /// How much of Σ w · value² the best scale for these levels explains.
        var gain: Float { squares > 0 ? products / squares * products : 0 }
    }

    /// How far beyond the end of the levels the largest value may be put, in thirtieths of the lower end; and the step.
    private static var overshoots: StrideThrough<Float> { stride(from: -6, through: 4, by: 1) }
    private static var refinements: Int { 4 }

    /// The sums over `count` lanes and their nearest levels when the scale is 1 / `inverse`.
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

    /// The scale for `count` lanes of values, negative where that fits better; 0 when all values are.
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

    /// The weighted sum of squared differences between `count` lanes and their nearest values at `scale`.
    static func error(_ x: UnsafePointer<Lanes>, _ count: Int, scale: Float) -> Float {
        let inverse = scale == 0 ? 0 : 1 / scale
        var squares = Lanes()
        for lane in 0..<count {
            let difference = x[lane] - Levels.nearest(x[lane] * inverse) * scale
            squares += x[lane].weights * difference * difference
        }
        return squares.total
    }

    /// Writes the levels nearest to `count` lanes at `scale`.
    static func quantize(
        _ x: UnsafePointer<Lanes>, _ count: Int, scale: Float, into levels: UnsafeMutablePointer<Lanes>
    ) {
        let inverse = scale == 0 ? 0 : 1 / scale
        for lane in 0..<count { levels[lane] = Levels.nearest(x[lane] * inverse) }
    }
}

/// Groups of values below this become zeros, which no factor in f16 could tell them from, and weights so small do
/// nothing.
let smallestPeak: Float = 0x1p-40
