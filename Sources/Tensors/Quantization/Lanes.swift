// Sixteen floats side by side: what the searches for scales compute with.

/// Sixteen values, or sixteen quanta that are not packed yet. A group of a quantised format is one or two of these.
typealias Lanes = SIMD16<Float>

extension SIMD16<Float> {
    /// Every value rounded to the nearest integer, ties to even; for values below 2²² in magnitude.
    var nearestIntegers: Lanes {
        // Adding 1.5 · 2²³ leaves no bits below the units. The standard library's rounding goes lane by lane.
        let shift = Lanes(repeating: 0x1.8p23)
        return (self + shift) - shift
    }

    /// Every value as an integer, of values that are integers below 2²² in magnitude.
    var integers: SIMD16<Int32> {
        SIMD16<Int32>(truncatingIfNeeded: unsafeBitCast(self + Lanes(repeating: 0x1.8p23), to: SIMD16<UInt32>.self))
            &- SIMD16<Int32>(repeating: 0x4b40_0000)
    }

    /// The values without their signs.
    var magnitudes: Lanes {
        unsafeBitCast(
            unsafeBitCast(self, to: SIMD16<UInt32>.self) & SIMD16<UInt32>(repeating: 0x7fff_ffff), to: Lanes.self)
    }

    /// How much an error in each value counts: as much as the value is large.
    ///
    /// Nothing is known of what the values are multiplied with. With equal weights the squared error is least, but the
    /// search then clips the few large values, and these decide more than their share: the perplexity of SmolLM2-135M
    /// in Q4_0 is 10.05 with equal weights, 9.57 with these, 9.72 with squares as weights, at a mean squared error of
    /// 0.80, 0.86 and 0.97 times llama-quantize's, whose perplexity is 9.63.
    var weights: Lanes { magnitudes }

    /// Integers below 2²² in magnitude brought into `lower...upper`, which are integers too. Exact then, and free of
    /// branches and comparisons.
    func clampedIntegers(_ lower: Float, _ upper: Float) -> Lanes {
        let fromLower = (self - Lanes(repeating: lower)).magnitudes
        let fromUpper = (self - Lanes(repeating: upper)).magnitudes
        return (fromLower - fromUpper + Lanes(repeating: lower + upper)) * 0.5
    }

    /// The sum of all values, in the order of a tree.
    var total: Float {
        let eight = lowHalf + highHalf
        let four = eight.lowHalf + eight.highHalf
        let two = four.lowHalf + four.highHalf
        return two.x + two.y
    }
}

/// The value of the largest magnitude among `count` lanes, with its sign; the first of equals.
func peak(_ x: UnsafePointer<Lanes>, _ count: Int) -> Float {
    var peak: Float = 0
    for lane in 0..<count {
        for i in 0..<16 where x[lane][i].magnitude > peak.magnitude { peak = x[lane][i] }
    }
    return peak
}

/// The least and the greatest value among `count` lanes.
func range(_ x: UnsafePointer<Lanes>, _ count: Int) -> (least: Float, greatest: Float) {
    var (least, greatest) = (x[0].min(), x[0].max())
    for lane in 1..<max(count, 1) {
        least = min(least, x[lane].min())
        greatest = max(greatest, x[lane].max())
    }
    return (least, greatest)
}
