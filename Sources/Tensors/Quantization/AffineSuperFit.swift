// The scales and minima of a super-block whose groups have both.

/// Fits value ≈ factor · scale · q − minimumFactor · minimum, with an integer scale and minimum per group and two f16
/// factors for all of them.
struct AffineSuperFit {
    /// Lanes of a group: 1 or 2, of the 16 of a super-block.
    let groupLanes: Int
    /// The greatest quantum.
    let top: Float
    /// The greatest scale and minimum.
    let highestScale: Float

    /// The factors, exactly as f16 has them, and the scales and minima of the groups.
    struct Factors {
        var scale: Float = 0, minimum: Float = 0
        var scales = Lanes(), minima = Lanes()
        /// Sum of squared differences over the super-block.
        fileprivate var error = Float.infinity
    }

    private static let rounds = 3
    private var groups: Int { 16 / groupLanes }
    private var fit: AffineFit { AffineFit(top: top, isOffsetNegative: true) }

    /// Fits a super-block and writes its quanta. A factor is infinite when the values are too large for it.
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

    /// The scale and minimum at which each group's error is least, among the nine nearest to the ideal ones.
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

    /// The two factors of least squared error for the quanta that these factors lead to: linear least squares in
    /// a = scale · q and b = minimum.
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
        // Without minima, or with minima in proportion to the quanta, only one of the two is determined.
        guard determinant > 0x1p-12 * aa * bb else {
            return (aa > 0 ? (xa + factors.minimum * ab) / aa : factors.scale, factors.minimum)
        }
        return (max((xa * bb - xb * ab) / determinant, 0), max((xa * ab - xb * aa) / determinant, 0))
    }
}
