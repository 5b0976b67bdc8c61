// How likely guesses are to be right before anything has been observed.

import InferSupport

/// A logistic formula per kind of source, fitted by replaying the reference answers of HumanEval, MBPP-Swift and two
/// repositories, edits left out: z = b0 + b1 ln M + b2 logit(share) + b3 ln N [longest] + b4 ln M logit(share)
/// + b5 [step start] + b6…b9 [back-off of order ≥ 4, 3, 2, 1], with M matched tokens, N occurrences, and the share of them
/// that goes on as guessed, clipped to 0.01…0.97.
///
/// Logarithms and the logistic function come from tables: they are wanted a few hundred times a step.
struct AcceptancePriors: ~Copyable {
    /// b0 … b9 of repositories, common datastores, the context and the history, one after the other.
    private static let coefficients: [Float] = [
        -2.223, 0.229, 0.519, 0.189, 0.129, -0.032, -0.187, -0.128, -0.201, -0.426,
        -3.039, 0.326, 0.565, 0.284, 0.041, -0.008, 0.715, 0.779, 0.55, 0.19,
        -2.418, 0.284, 0.481, 0.294, 0.163, -0.013, 0.489, 0.338, 0.289, -0.117,
        -2.843, 0.447, 0.599, 0.446, 0.084, -0.039, 0.374, 0.54, 0.357, 0.559,
    ]
    private static let perKind = 10

    /// Where a kind's coefficients begin; nil for a kind without a formula.
    private static func start(of kind: SourceKind) -> Int? {
        switch kind {
        case .repository: 0
        case .common: perKind
        // The cursor is a match in the context.
        case .context, .cursor: 2 * perKind
        case .history: 3 * perKind
        case .preference: nil
        }
    }

    /// z as a function of logit(share) for one match.
    struct Line {
        fileprivate var offset: Float
        fileprivate var slope: Float
    }

    private var coefficients = FlatList<Float>(capacity: 64)
    /// ln n.
    private var logarithms = FlatList<Float>(capacity: 1024)
    /// 1 / (1 + e⁻ᶻ) for z = −12 … 12.
    private var logistic = FlatList<Float>(capacity: 1024)

    private static let logarithmCount = 1024
    private static let reach: Float = 12
    private static let perUnit: Float = 32

    init() {
        for value in Self.coefficients { coefficients.append(value) }
        for number in 0..<Self.logarithmCount { logarithms.append(log(Float(max(number, 1)))) }
        for number in 0...Int(2 * Self.reach * Self.perUnit) {
            logistic.append(1 / (1 + exp(Self.reach - Float(number) / Self.perUnit)))
        }
    }

    /// The formula for guesses that follow a match; nil for preferences, which come with probabilities of their own.
    ///
    /// - Parameters:
    ///   - length: Tokens that match, guesses included.
    ///   - isBackOff: Whether a longer match of the same source offers other guesses.
    ///   - startsStep: Whether the guesses follow the text itself.
    func line(_ kind: SourceKind, length: Int, occurrences: Int, isBackOff: Bool, startsStep: Bool) -> Line? {
        guard let first = Self.start(of: kind) else { return nil }
        let lnLength = logarithm(length)
        var offset = coefficients[first] + coefficients[first + 1] * lnLength
        if startsStep { offset += coefficients[first + 5] }
        if isBackOff {
            offset += coefficients[first + 10 - min(max(length, 1), 4)]
        } else {
            offset += coefficients[first + 3] * logarithm(occurrences)
        }
        return Line(offset: offset, slope: coefficients[first + 2] + coefficients[first + 4] * lnLength)
    }

    /// The probability that a guess is right, if all before it are, which follows `count` of a match's `occurrences`.
    func probability(_ line: Line, count: Int, occurrences: Int) -> Float {
        let logit: Float =
            if count * 100 >= occurrences * 97 { 3.4761 } else if count * 100 <= occurrences { -4.5951 } else {
                logarithm(count) - logarithm(occurrences - count)
            }
        let z = min(max(line.offset + line.slope * logit, -Self.reach + 0.1), Self.reach - 0.1)
        let place = (z + Self.reach) * Self.perUnit
        let index = Int(place)
        return logistic[index] + (logistic[index + 1] - logistic[index]) * (place - Float(index))
    }

    private func logarithm(_ number: Int) -> Float {
        number < Self.logarithmCount ? logarithms[max(number, 0)] : log(Float(number))
    }
}
