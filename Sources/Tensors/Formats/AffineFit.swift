// Fits for tensor types with minima: the scales and minima at which a block, or a super-block, has the least error.

// MARK: Blocks

/// Fits value ≈ scale · q + offset, q in 0…`top`, by least squares.
///
/// As in ``SymmetricFit``, the search first tries lines that span the range of the values, or a little less or more.
/// From the best one, it alternates between the nearest quanta and the best line through them.
struct AffineFit {
    /// The largest quantum.
    let top: Float
    /// Whether the offset must not be positive, as in types that subtract a minimum.
    let isOffsetNegative: Bool

    /// A line and its distance from the values.
    struct Line {
        var scale: Float, offset: Float
        /// Sum of squared differences.
        var error: Float
    }

    /// Sums over a group: Σ value, Σ q, Σ value · q, Σ q².
    struct Sums { let values: Float, quanta: Float, products: Float, squares: Float }

    private static let refinements = 4

    /// The line for `count` lanes of values.
    func line(_ x: UnsafePointer<Lanes>, _ count: Int) -> Line {
        var (least, greatest) = range(x, count)
        if isOffsetNegative { least = min(least, 0) }
        let squares = (0..<count).reduce(into: Lanes()) { $0 += x[$1] * x[$1] }.total
        guard greatest - least >= smallestPeak else {
            return Line(scale: 0, offset: least, error: 0)
        }
        var best = Line(scale: 0, offset: 0, error: squares)
        // With up to one step less, the line clips the extremes; with up to one more, the end levels are free for the
        // fit.
        for eighth in -8...8 {
            let inverse = (top + Float(eighth) / 8) / (greatest - least)
            let line = fitted(x, count, inverse: inverse, offset: least, squares)
            if line.error < best.error { best = line }
        }
        for _ in 0..<Self.refinements where best.scale > 0 {
            let line = fitted(x, count, inverse: 1 / best.scale, offset: best.offset, squares)
            guard line.error < best.error else { break }
            best = line
        }
        return best
    }

    /// The best line for the quanta that the line (`inverse`, `offset`) gives; `squares` is the sum of squares of the
    /// values.
    private func fitted(
        _ x: UnsafePointer<Lanes>, _ count: Int, inverse: Float, offset: Float, _ squares: Float
    ) -> Line {
        let sums = sums(x, count, inverse: inverse, offset: offset)
        let n = Float(16 * count)
        let determinant = n * sums.squares - sums.quanta * sums.quanta
        var scale = determinant > 0 ? (n * sums.products - sums.values * sums.quanta) / determinant : 0
        var offset = (sums.values - scale * sums.quanta) / n
        if isOffsetNegative, offset > 0 {
            offset = 0
            scale = sums.squares > 0 ? sums.products / sums.squares : 0
        }
        guard scale > 0 else { return Line(scale: 0, offset: 0, error: squares) }
        let error =
            squares - 2 * (scale * sums.products + offset * sums.values) + scale * scale * sums.squares
            + 2 * scale * offset * sums.quanta + n * offset * offset
        return Line(scale: scale, offset: offset, error: error)
    }

    /// The sums over `count` lanes and their nearest quanta on the line with scale 1 / `inverse`.
    func sums(_ x: UnsafePointer<Lanes>, _ count: Int, inverse: Float, offset: Float) -> Sums {
        var values = Lanes(), quanta = Lanes(), products = Lanes(), squares = Lanes()
        for lane in 0..<count {
            let nearest = ((x[lane] - offset) * inverse).nearestIntegers.clampedIntegers(0, top)
            values += x[lane]
            quanta += nearest
            products += x[lane] * nearest
            squares += nearest * nearest
        }
        return Sums(values: values.total, quanta: quanta.total, products: products.total, squares: squares.total)
    }

    /// The sum of squared differences between `count` lanes and their nearest values on a line.
    func error(_ x: UnsafePointer<Lanes>, _ count: Int, scale: Float, offset: Float) -> Float {
        let inverse = scale == 0 ? 0 : 1 / scale
        var squares = Lanes()
        for lane in 0..<count {
            let quanta = ((x[lane] - offset) * inverse).nearestIntegers.clampedIntegers(0, top)
            let difference = x[lane] - (quanta * scale + offset)
            squares += difference * difference
        }
        return squares.total
    }

    /// Writes the nearest quanta of `count` lanes on a line.
    func quantize(
        _ x: UnsafePointer<Lanes>, _ count: Int, scale: Float, offset: Float, into quanta: UnsafeMutablePointer<Lanes>
    ) {
        let inverse = scale == 0 ? 0 : 1 / scale
        for lane in 0..<count {
            quanta[lane] = ((x[lane] - offset) * inverse).nearestIntegers.clampedIntegers(0, top)
        }
    }

    /// Fits a block of 32: writes its quanta, and its scale and offset as f16 to `factors`. Returns false if one of
    /// these is infinite.
    func quantize(
        _ values: UnsafePointer<Lanes>, into quanta: UnsafeMutablePointer<Lanes>, factors: UnsafeMutableRawPointer
    ) -> Bool {
        let line = line(values, 2)
        let scale = factors.storeHalf(line.scale, at: 0)
        let offset = factors.storeHalf(line.offset, at: 2)
        quantize(values, 2, scale: scale, offset: offset, into: quanta)
        return scale.isFinite && offset.isFinite
    }
}

// MARK: Super-blocks

/// Fits value ≈ factor · scale · q − minimumFactor · minimum, with an integer scale and minimum per group and two f16
/// factors for all of them.
struct AffineSuperFit {
    /// Lanes of a group, 1 or 2. A super-block has 16 lanes.
    let groupLanes: Int
    /// The largest quantum.
    let top: Float
    /// The largest scale and minimum.
    let highestScale: Float

    /// The factors, rounded to f16, and the scales and minima of the groups.
    struct Factors {
        var scale: Float = 0, minimum: Float = 0
        var scales = Lanes(), minima = Lanes()
        /// The sum of squared differences over the super-block.
        fileprivate var error = Float.infinity
    }

    private static let rounds = 3
    private var groups: Int { 16 / groupLanes }
    private var fit: AffineFit { AffineFit(top: top, isOffsetNegative: true) }

    /// Fits a super-block and writes its quanta. A factor is infinite if the values are too large for it.
    func quantize(_ x: UnsafePointer<Lanes>, into quanta: UnsafeMutablePointer<Lanes>) -> Factors {
        var idealScales = Lanes(), idealMinima = Lanes()
        for group in 0..<groups {
            let line = fit.line(x + group * groupLanes, groupLanes)
            idealScales[group] = line.scale
            idealMinima[group] = -line.offset
        }
        var best = Factors()
        var (scale, minimum) = (idealScales.max() / highestScale, idealMinima.max() / highestScale)
        for _ in 0..<Self.rounds {
            let rounded = (Float(halfBits: scale.halfBits), Float(halfBits: minimum.halfBits))
            guard rounded.0.isFinite, rounded.1.isFinite else { break }
            let found = choosingScales(x, idealScales, idealMinima, rounded.0, rounded.1)
            guard found.error < best.error else { break }
            best = found
            (scale, minimum) = bestFactors(x, found)
        }
        guard best.error.isFinite else { return Factors(scale: .infinity) }
        for group in 0..<groups {
            let first = group * groupLanes
            fit.quantize(
                x + first, groupLanes, scale: best.scale * best.scales[group],
                offset: -best.minimum * best.minima[group], into: quanta + first)
        }
        return best
    }

    /// For each group, the scale and minimum with the least error among the nine pairs nearest to its ideal ones.
    private func choosingScales(
        _ x: UnsafePointer<Lanes>, _ idealScales: Lanes, _ idealMinima: Lanes, _ scale: Float, _ minimum: Float
    ) -> Factors {
        var factors = Factors(scale: scale, minimum: minimum, error: 0)
        for group in 0..<groups {
            let nearestScale = scale == 0 ? 0 : (idealScales[group] / scale).rounded()
            let nearestMinimum = minimum == 0 ? 0 : (idealMinima[group] / minimum).rounded()
            var best = (scale: Float(0), minimum: Float(0), error: Float.infinity)
            for candidate in 0..<9 {
                let groupScale = min(max(nearestScale + Float(candidate / 3 - 1), 0), highestScale)
                let groupMinimum = min(max(nearestMinimum + Float(candidate % 3 - 1), 0), highestScale)
                let error = fit.error(
                    x + group * groupLanes, groupLanes, scale: scale * groupScale, offset: -minimum * groupMinimum)
                if error < best.error { best = (groupScale, groupMinimum, error) }
            }
            factors.scales[group] = best.scale
            factors.minima[group] = best.minimum
            factors.error += best.error
        }
        return factors
    }

    /// The two factors with the least squared error for the quanta that `factors` gives: linear least squares in a =
    /// scale · q and b = minimum.
    private func bestFactors(_ x: UnsafePointer<Lanes>, _ factors: Factors) -> (scale: Float, minimum: Float) {
        var aa: Float = 0, ab: Float = 0, bb: Float = 0, xa: Float = 0, xb: Float = 0
        for group in 0..<groups {
            let (scale, minimum) = (factors.scales[group], factors.minima[group])
            let step = factors.scale * scale
            let sums = fit.sums(
                x + group * groupLanes, groupLanes, inverse: step == 0 ? 0 : 1 / step,
                offset: -factors.minimum * minimum)
            aa += scale * scale * sums.squares
            ab += scale * minimum * sums.quanta
            bb += minimum * minimum * Float(16 * groupLanes)
            xa += scale * sums.products
            xb += minimum * sums.values
        }
        let determinant = aa * bb - ab * ab
        // Without minima, or with minima proportional to the quanta, only one factor is determined.
        guard determinant > 0x1p-12 * aa * bb else {
            return (aa > 0 ? (xa + factors.minimum * ab) / aa : factors.scale, factors.minimum)
        }
        return (max((xa * bb - xb * ab) / determinant, 0), max((xa * ab - xb * aa) / determinant, 0))
    }
}
