// Rotary position embedding: its parameters in the metadata, and the cosines and sines of positions.

import InferGGUF
import InferSupport
package import InferTensors

/// Rotary position embedding (arXiv 2104.09864) and its extensions to longer contexts.
package struct RotaryConfiguration: Sendable {
    /// How angles are scaled beyond the trained context.
    package enum Scaling: Sendable {
        /// Not at all.
        case none
        /// Positions divided by `factor`.
        case linear(factor: Float)
        /// YaRN, arXiv 2309.00071: interpolated below `betaSlow` rotations over the original context, left alone above
        /// `betaFast`, blended between.
        case yarn(factor: Float, betaFast: Float, betaSlow: Float, logMultiplier: Float)
    }

    /// Leading dimensions of each head that are rotated; even.
    package var dimensionCount: Int
    /// Pair i of n turns by base^(−i/n) per position.
    package var base: Float
    /// Which dimensions form a pair.
    package var pairing: RotaryPairing
    /// Extension to longer contexts.
    package var scaling: Scaling
    /// Context the model was first trained with.
    package var originalContextLength: Int
    /// Cosines and sines are multiplied by this.
    package var attentionFactor: Float
    /// Pairs that text does not turn: those of multi-section RoPE that turn with something else than the token's place.
    package var stillPairs: Set<Int> = []
}

extension RotaryConfiguration {
    init(
        _ keys: ArchitectureKeys, dimensions: Int, contextLength: Int, pairing: RotaryPairing
    ) throws(InferenceError) {
        dimensionCount = try keys.optionalCount("rope.dimension_count", in: 2...65_536) ?? dimensions
        guard dimensionCount.isMultiple(of: 2) else {
            throw keys.malformed("rope.dimension_count", "is \(dimensionCount), which cannot be rotated in pairs")
        }
        guard dimensionCount <= dimensions else {
            throw keys.malformed(
                "rope.dimension_count",
                "is \(dimensionCount), but heads have a length of \(dimensions) (attention.key_length, or else "
                    + "embedding_length / attention.head_count)")
        }
        base = try keys.positive("rope.freq_base") ?? 10_000
        self.pairing = pairing
        originalContextLength =
            try keys.optionalCount("rope.scaling.original_context_length", in: 1...(1 << 30)) ?? contextLength
        attentionFactor = try keys.positive("rope.scaling.attn_factor") ?? 1
        let kind = try keys.string("rope.scaling.type") ?? "linear"
        let legacy = try keys.has("rope.scaling.factor") ? nil : keys.positiveUnlessZero("rope.scale_linear")
        let factor = try keys.positiveUnlessZero("rope.scaling.factor") ?? legacy ?? 1
        switch kind {
        case "none": scaling = .none
        // The factors of "longrope" are tensors, chosen by context length when a context is made.
        case "linear", "longrope": scaling = factor == 1 ? .none : .linear(factor: factor)
        case "yarn":
            // Which pairs are blended follows from the base's logarithm.
            guard base > 1 else { throw keys.malformed("rope.freq_base", "is \(base), but YaRN takes one above 1") }
            scaling = .yarn(factor: factor, betaFast: 32, betaSlow: 1, logMultiplier: 0)
        default: throw keys.unsupported("rope.scaling.type", "is \"\(kind.printable)\", which is not supported")
        }
    }
}

extension RotaryConfiguration {
    /// The sections of multi-section RoPE (arXiv 2409.12191): numbers of pairs that turn with time, height, width and something else;
    /// the last ones are still in text, which has no such thing. They follow each other, or the first three take turns.
    mutating func useSections(_ sections: [Int], areInterleaved: Bool) {
        let total = sections.reduce(0, +)
        guard total > 0, sections.count == 4 else { return }
        stillPairs = Set(
            (0..<dimensionCount / 2).filter { pair in
                let place = pair % total
                return areInterleaved ? place >= 3 * sections[place % 3] : place >= total - sections[3]
            })
    }
}

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
            rope.stillPairs.contains(pair)
                ? 0 : pow(base, -2 * Double(pair) / dimensions) / Double(factors?[pair] ?? 1)
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
