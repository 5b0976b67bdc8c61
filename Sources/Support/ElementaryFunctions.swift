// exp and log: the functions of the C library, and a polynomial with the same results on every platform.

/// eˣ
package func exponential(_ x: Double) -> Double { exp(x) }

/// ln x
package func logarithm(_ x: Double) -> Double { log(x) }

/// ln x
package func logarithm(_ x: Float) -> Float { log(x) }

// Sampling uses a polynomial instead of `exp`: a seed then gives the same draws with every C library, and loops over a whole
// vocabulary are fast.
extension Float {
    /// eˣ for x ≤ 0, with a relative error of about 2⁻²³; 0 if the result is below 10⁻³⁷.
    ///
    /// With n = round(x / ln 2) and r = x − n ln 2: eˣ = 2ⁿ eʳ. For |r| ≤ ½ ln 2, eʳ ≈ 1 + r + r² q(r). The polynomial q has degree
    /// 4 and minimises the maximum error (3 · 10⁻⁹). The code has no branch and no call, so loops over it vectorise.
    @inline(__always)
    package var exponentialOfNonPositive: Float {
        let x = self > -86 ? self : -86
        // Adding 1.5 · 2²³ rounds to an integer and leaves it in the lowest bits.
        let shifted = x * 1.442_695_04 + 12_582_912
        let n = shifted - 12_582_912
        // ln 2 is split into two parts. The first has so few bits that its product with n is exact.
        let r = (x - n * 0.693_359_375) + n * 2.121_944_4e-4
        var q: Float = 0.001_381_459_8
        q = q * r + 0.008_368_717
        q = q * r + 0.041_668_39
        q = q * r + 0.166_665_21
        q = q * r + 0.499_999_94
        let power = Float(bitPattern: shifted.bitPattern << 23 &+ 0x3F80_0000)
        let value = ((q * r) * r + r + 1) * power
        return self < -86 ? 0 : value
    }
}
