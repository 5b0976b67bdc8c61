// The scales of a super-block whose groups have no minima.

/// Fits value ≈ factor · scale · level, with an integer scale per group and one f16 factor for all of them.
struct SymmetricSuperFit<Levels: SymmetricLevels> {
    /// Lanes of a group: 1 or 2, of the 16 of a super-block.
    let groupLanes: Int
    /// The integers a scale can be.
    let lowestScale: Float, highestScale: Float

    /// The factor, exactly as f16 has it, and the scales of the groups.
    struct Factors {
        var factor: Float = 0
        var scales = Lanes()
        /// Sum of squared differences over the super-block.
        fileprivate var error = Float.infinity
    }

    private var rounds: Int { 3 }

    /// Fits a super-block and writes its quanta. The factor is infinite when the values are too large for it.
    func quantize(_ x: UnsafePointer<Lanes>, into quanta: UnsafeMutablePointer<Lanes>) -> Factors {
        let groups = 16 / groupLanes
        var ideal = Lanes()
        for group in 0..<groups { ideal[group] = SymmetricFit<Levels>.scale(x + group * groupLanes, groupLanes) }
        let largest = withUnsafePointer(to: ideal) { peak($0, 1) }
        guard largest != 0 else {
            for lane in 0..<16 { quanta[lane] = Lanes() }
            return Factors()
        }
        // The largest scale takes one end of its range or the other; which fits the other groups better is seen then.
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

    /// The scales at which each group's error is least, of the three nearest to its ideal.
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

    /// The factor of least squared error for the quanta that these factors lead to.
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
