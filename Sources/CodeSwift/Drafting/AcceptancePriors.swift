// How likely guesses are to be right before anything has been observed.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A logistic formula per kind of source, fitted by replaying the reference answers of HumanEval, MBPP-Swift and two
/// repositories, edits left out: z = b0 + b1 ln M + b2 logit(share) + b3 ln N [longest] + b4 ln M logit(share)
/// + b5 [step start] + b6…b9 [back-off of order ≥ 4, 3, 2, 1], with M matched tokens, N occurrences, and the share of them
/// that goes on as guessed, clipped to 0.01…0.97.
enum AcceptancePriors {
    /// b0 … b9 by kind of source.
    private static let coefficients: [[Float]] = [
        [-2.223, 0.229, 0.519, 0.189, 0.129, -0.032, -0.187, -0.128, -0.201, -0.426],
        [-3.039, 0.326, 0.565, 0.284, 0.041, -0.008, 0.715, 0.779, 0.55, 0.19],
        [-2.418, 0.284, 0.481, 0.294, 0.163, -0.013, 0.489, 0.338, 0.289, -0.117],
        [-2.843, 0.447, 0.599, 0.446, 0.084, -0.039, 0.374, 0.54, 0.357, 0.559],
    ]

    /// What decides a guess's probability.
    struct Features {
        var kind: SourceKind
        /// Tokens that match, guesses included.
        var length: Int
        var occurrences: Int
        /// Share of the occurrences that go on as guessed.
        var share: Float
        /// Whether a longer match of the same source offers other guesses.
        var isBackOff: Bool
        /// Whether the guess follows the text itself.
        var startsStep: Bool
    }

    /// The probability that a guess is right, if all before it are.
    static func probability(_ features: Features) -> Float {
        if features.kind == .preference { return features.share }
        // The cursor is a match in the text.
        let b = coefficients[features.kind == .cursor ? SourceKind.context.rawValue : features.kind.rawValue]
        let share = min(max(features.share, 0.01), 0.97)
        let logit = log(share / (1 - share))
        let length = log(Float(max(features.length, 1)))
        var z = b[0] + b[1] * length + b[2] * logit + b[4] * length * logit
        if features.startsStep { z += b[5] }
        if features.isBackOff {
            z += b[9 - min(max(features.length, 1), 4) + 1]
        } else {
            z += b[3] * log(Float(max(features.occurrences, 1)))
        }
        return 1 / (1 + exp(-z))
    }
}
