// Cosines and sines of the rotary position embedding.

import InferSupport

/// Turns positions into the cosines and sines that ``Backend/rotate(_:rows:headDimension:rotation:pairing:)`` takes.
///
/// Every extension of RoPE in use is linear in the position, so that each pair has one frequency; they are computed once, in
/// double precision, and the angle's cosine depends on nothing but the position.
struct RotaryEmbedding: Sendable {
    /// Radians per position, one per pair.
    let frequencies: [Double]
    /// Factor of all cosines and sines.
    let magnitude: Double

    /// - Parameters:
    ///   - factors: divisors of each pair's frequency (Llama 3's `rope_freqs`, LongRoPE's `rope_factors_…`).
    init(_ rope: RotaryConfiguration, factors: [Float]?) {
        let dimensions = Double(rope.dimensionCount)
        let base = Double(rope.base)
        let pairs = rope.dimensionCount / 2
        let plain = (0..<pairs).map { pair in
            pow(base, -2 * Double(pair) / dimensions) / Double(factors?[pair] ?? 1)
        }
        switch rope.scaling {
        case .none:
            frequencies = plain
            magnitude = Double(rope.attentionFactor)
        case .linear(let factor):
            frequencies = plain.map { $0 / Double(factor) }
            magnitude = Double(rope.attentionFactor)
        case .yarn(let factor, let betaFast, let betaSlow, let logMultiplier):
            // The pair that turns `rotations` times over the original context (arXiv 2309.00071, section 3.2).
            func pair(turning rotations: Float) -> Double {
                let context = Double(rope.originalContextLength)
                return dimensions * log(context / (Double(rotations) * 2 * .pi)) / (2 * log(base))
            }
            let low = max(0, pair(turning: betaFast).rounded(.down))
            let high = min(dimensions - 1, pair(turning: betaSlow).rounded(.up))
            frequencies = plain.enumerated().map { index, frequency in
                let ramp = (Double(index) - low) / max(0.001, high - low)
                let extrapolated = 1 - min(1, max(0, ramp))
                return frequency * ((1 - extrapolated) / Double(factor) + extrapolated)
            }
            // Section 3.3: attention grows sharper with the factor; Mistral 3 divides by its own multiple of that.
            func sharpness(_ multiplier: Double) -> Double {
                factor <= 1 ? 1 : 0.1 * multiplier * log(Double(factor)) + 1
            }
            let divisor = logMultiplier == 0 ? 1 : sharpness(Double(logMultiplier))
            magnitude = sharpness(1) / divisor * Double(rope.attentionFactor)
        }
    }

    /// Cosine and sine of each pair, interleaved, one row per position.
    func rotations(at positions: some Sequence<Int>) -> [Float] {
        var values: [Float] = []
        for position in positions {
            for frequency in frequencies {
                let angle = Double(position) * frequency
                values.append(Float(cos(angle) * magnitude))
                values.append(Float(sin(angle) * magnitude))
            }
        }
        return values
    }
}
