// The scale and offset at which a group's values lie nearest to an even ladder of levels.

/// Fits value ≈ scale · q + offset, q in 0…`top`, in the sense of least squares.
///
/// As in ``SymmetricFit``: ladders that span the range of the values, or a little less or more, are tried; from the
/// best, nearest quanta and the best line through them alternate.
struct AffineFit {
    /// The greatest quantum.
    let top: Float
    /// Whether the offset must not be above zero, as in formats that subtract a minimum.
    let isOffsetNegative: Bool

    /// A line and how far the values are from it.
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
        // Ladders of up to a step less clip the extremes, such of up to a step more leave the ends to the fitted line.
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

    /// The best line through the values and the quanta they have at another one; `squares` is their sum of squares.
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

    /// The sums over `count` lanes and their nearest quanta on the line of scale 1 / `inverse`.
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

    /// Writes the quanta nearest to `count` lanes on a line.
    func quantize(
        _ x: UnsafePointer<Lanes>, _ count: Int, scale: Float, offset: Float, into quanta: UnsafeMutablePointer<Lanes>
    ) {
        let inverse = scale == 0 ? 0 : 1 / scale
        for lane in 0..<count {
            quanta[lane] = ((x[lane] - offset) * inverse).nearestIntegers.clampedIntegers(0, top)
        }
    }

    /// Writes the quanta of a block of 32 whose `factors`, scale and offset in f16, come first; false when those are
    /// too small a type.
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
