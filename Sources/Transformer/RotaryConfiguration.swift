// The parameters of rotary position embedding.

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
            scaling = .yarn(
                factor: factor, betaFast: try keys.positive("rope.scaling.yarn_beta_fast") ?? 32,
                betaSlow: try keys.positive("rope.scaling.yarn_beta_slow") ?? 1,
                logMultiplier: try keys.positiveUnlessZero("rope.scaling.yarn_log_multiplier") ?? 0)
        default: throw keys.unsupported("rope.scaling.type", "is \"\(kind.printable)\", which is not supported")
        }
    }
}
