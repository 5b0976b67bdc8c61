// The logistic mixer: one probability from what all sources say about a token.

import InferSupport

/// Logistic mixing (Mahoney, "Data Compression Explained", chapter on context mixing): the log-odds of a guess are a weighted sum of
/// what the sources say, and every outcome moves the weights a little.
///
/// The first weights were fitted to the answers of SmolLM2-135M and Gemma-3-270M and to the reference answers of HumanEval,
/// MBPP-Swift, two repositories and edits. Moved by outcomes, they lower the log-loss of guesses by 3 to 23 % against the chain of
/// sources; weights fitted anew with the tested suite left out come within 2 % of that (`Tools/fit-mixer`).
package struct GuessMixer: ~Copyable {
    /// What speaks for and against one guess, as inputs of the sum that are not 0.
    package struct Evidence: ~Copyable {
        struct Input {
            var weight: Int32
            var value: Float
        }

        fileprivate private(set) var inputs = FlatList<Input>(capacity: 32)

        /// No evidence yet.
        package init() {}

        /// Begins anew.
        ///
        /// - Parameters:
        ///   - chained: The guess's probability by the chain of sources.
        ///   - agreeing: How many further opinions offer it, at most 3.
        package mutating func begin(chained: Float, agreeing: Int, isBackOff: Bool) {
            inputs.truncate()
            add(Self.bias, 1)
            add(Self.chained, Self.logOdds(chained))
            if agreeing > 0 { add(Self.agreement, Float(agreeing)) }
            if isBackOff { add(Self.backOff, 1) }
        }

        /// A source that offers the guess itself, with `probability`.
        package mutating func add(_ kind: SourceKind, for probability: Float) {
            add(Self.offered + kind.rawValue, 1)
            add(Self.odds + kind.rawValue, Self.logOdds(probability))
        }

        /// A source that offers another, and how little it leaves: ``logRest(_:)`` of that one's probability.
        package mutating func add(_ kind: SourceKind, logRest: Float) {
            add(Self.rivalled + kind.rawValue, 1)
            add(Self.rest + kind.rawValue, logRest)
        }

        /// All inputs, those that are 0 included.
        package var values: [Float] {
            var values = [Float](repeating: 0, count: GuessMixer.inputNames.count)
            for index in 0..<inputs.count { values[Int(inputs[index].weight)] = inputs[index].value }
            return values
        }

        /// What a guess of that probability leaves to others.
        package static func logRest(_ probability: Float) -> Float { log(1 - min(probability, 0.98)) }

        private mutating func add(_ weight: Int, _ value: Float) {
            inputs.append(Input(weight: Int32(weight), value: value))
        }

        private static func logOdds(_ probability: Float) -> Float {
            let inside = min(max(probability, 0.001), 0.999)
            return log(inside / (1 - inside))
        }

        private static let bias = 0
        private static let chained = 1
        private static let agreement = 2
        private static let backOff = 3
        // From here on one for each kind of source.
        private static let offered = 4
        private static let odds = 10
        private static let rivalled = 16
        private static let rest = 22
    }

    /// What the inputs are called, in the order of the weights.
    package static let inputNames =
        ["constant", "chained", "agreement", "back_off"]
        + ["offered", "odds", "rivalled", "rest"].flatMap { input in SourceKind.allCases.map { "\($0).\(input)" } }

    /// How far one outcome moves the weights: from 0.006 to 0.02 make little difference, 0.003 costs 0.3 to 0.8 % of speed.
    private static let rate: Float = 0.01

    private static let firstWeights: [Float] = [
        // The sum's constant, the chain of sources, agreement, back-off.
        -1.41, 0.32, 0.26, 0.17,
        // By kind of source: offers the guess; its log-odds.
        0.97, 1.05, 1.31, 0.37, -0.36, 0.57,
        0.4, 0.36, 0.51, 0.25, 0.33, 0.18,
        // By kind of source: offers another; what that leaves.
        -0.23, -0.16, -0.16, 0, 0.26, -0.01,
        0.42, 0.69, 0.55, 0.41, 0.46, 0.07,
    ]

    private var current = FlatList<Float>(capacity: 32)

    /// A mixer with the first weights.
    package init() {
        for weight in Self.firstWeights { current.append(weight) }
    }

    /// The probability that a guess is right, if all before it are.
    package func probability(_ evidence: borrowing Evidence) -> Float {
        var odds: Float = 0
        for index in 0..<evidence.inputs.count {
            let input = evidence.inputs[index]
            odds += current[Int(input.weight)] * input.value
        }
        return min(max(1 / (1 + exp(-odds)), 0.0001), 0.995)
    }

    /// Learns whether a guess was right.
    package mutating func learn(_ evidence: borrowing Evidence, isRight: Bool) {
        let step = Self.rate * ((isRight ? 1 : 0) - probability(evidence))
        for index in 0..<evidence.inputs.count {
            let input = evidence.inputs[index]
            current[Int(input.weight)] += step * input.value
        }
    }

    // MARK: As plain numbers

    /// The weights.
    package var weights: [Float] { (0..<current.count).map { current[$0] } }

    /// Number of weights.
    static var weightCount: Int { firstWeights.count }

    /// Whether `weights` can be those of a mixer; none stand for the first.
    package static func areWeights(_ weights: [Float]) -> Bool {
        weights.isEmpty || (weights.count == weightCount && weights.allSatisfy { abs($0) <= 100 })
    }

    /// Takes weights that another mixer learned, which must be ``areWeights(_:)``.
    package mutating func adopt(_ weights: [Float]) {
        for (index, weight) in weights.enumerated() { current[index] = weight }
    }
}

/// A guess whose outcome is known, as ``GuessMixer`` saw it.
package struct GuessOutcome: Sendable {
    /// The inputs of its sum, called ``GuessMixer/inputNames``.
    package var inputs: [Float]
    /// How likely it was by the mixer's weights of that time.
    package var probability: Float
    /// Whether the text went on like that.
    package var isRight: Bool
}

/// What turns matches into probabilities: how often guesses of each sort were right, and how sources are weighed against each
/// other.
struct Experience: ~Copyable {
    var table = AcceptanceTable()
    var mixer = GuessMixer()
}
