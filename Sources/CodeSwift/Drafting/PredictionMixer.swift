// The logistic mixer: one probability from what all sources say about a token.

import InferSupport

/// Logistic mixing (Mahoney, "Data Compression Explained", chapter on context mixing): the log-odds of a prediction are
/// a weighted sum of inputs from the sources, and each outcome adjusts the weights slightly.
///
/// The initial weights were fitted to answers of SmolLM2-135M and Gemma-3-270M and to the reference answers of
/// HumanEval, MBPP-Swift, two repositories and edits. With adjustment by outcomes, they lower the log-loss of
/// predictions by 3 to 23 % compared with the chain of sources. Weights fitted without the tested suite come within 2 %
/// of that (`Tools/fit-mixer`).
package struct PredictionMixer: ~Copyable {
    /// The nonzero inputs for one prediction.
    package struct Evidence: ~Copyable {
        struct Input {
            var weight: Int32
            var value: Float
        }

        fileprivate private(set) var inputs = FlatList<Input>(capacity: 32)

        /// No inputs.
        package init() {}

        /// Starts the inputs for a new prediction.
        ///
        /// - Parameters:
        ///   - chained: Its probability by the chain of sources.
        ///   - agreeing: Number of further sources that predict the same token, at most 3.
        ///   - isBackOff: Whether it comes from a back-off.
        package mutating func begin(chained: Float, agreeing: Int, isBackOff: Bool) {
            inputs.truncate()
            add(Self.bias, 1)
            add(Self.chained, Self.logOdds(chained))
            if agreeing > 0 { add(Self.agreement, Float(agreeing)) }
            if isBackOff { add(Self.backOff, 1) }
        }

        /// Adds a source that predicts the token with `probability`.
        package mutating func add(_ kind: SourceKind, for probability: Float) {
            add(Self.offered + kind.rawValue, 1)
            add(Self.odds + kind.rawValue, Self.logOdds(probability))
        }

        /// Adds a source that predicts another token: ``logRest(_:)`` of that token's probability.
        package mutating func add(_ kind: SourceKind, logRest: Float) {
            add(Self.rivalled + kind.rawValue, 1)
            add(Self.rest + kind.rawValue, logRest)
        }

        /// All inputs, including those that are 0.
        package var values: [Float] {
            var values = [Float](repeating: 0, count: PredictionMixer.inputNames.count)
            for index in 0..<inputs.count { values[Int(inputs[index].weight)] = inputs[index].value }
            return values
        }

        /// The logarithm of the probability left when `probability` is excluded.
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
        // From here on, one input for each kind of source.
        private static let offered = 4
        private static let odds = 10
        private static let rivalled = 16
        private static let rest = 22
    }

    /// The names of the inputs, in the order of the weights.
    package static let inputNames =
        ["constant", "chained", "agreement", "back_off"]
        + ["offered", "odds", "rivalled", "rest"].flatMap { input in SourceKind.allCases.map { "\($0).\(input)" } }

    /// Learning rate. Values from 0.006 to 0.02 make little difference; 0.003 costs 0.3 to 0.8 % of speed.
    private static let rate: Float = 0.01

    private static let firstWeights: [Float] = [
        // Constant, chain of sources, agreement, back-off.
        -1.41, 0.32, 0.26, 0.17,
        // By kind of source: predicts the token; log-odds of its probability.
        0.97, 1.05, 1.31, 0.37, -0.36, 0.57,
        0.4, 0.36, 0.51, 0.25, 0.33, 0.18,
        // By kind of source: predicts another token; log-probability that this leaves.
        -0.23, -0.16, -0.16, 0, 0.26, -0.01,
        0.42, 0.69, 0.55, 0.41, 0.46, 0.07,
    ]

    private var current = FlatList<Float>(capacity: 32)

    /// A mixer with the initial weights.
    package init() {
        for weight in Self.firstWeights { current.append(weight) }
    }

    /// The probability that a prediction is accepted if all before it are.
    package func probability(_ evidence: borrowing Evidence) -> Float {
        var odds: Float = 0
        for index in 0..<evidence.inputs.count {
            let input = evidence.inputs[index]
            odds += current[Int(input.weight)] * input.value
        }
        return min(max(1 / (1 + exp(-odds)), 0.0001), 0.995)
    }

    /// Adjusts the weights by the outcome of a prediction.
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

    /// Whether `weights` are valid weights of a mixer. An empty list stands for the initial weights.
    package static func areWeights(_ weights: [Float]) -> Bool {
        weights.isEmpty || (weights.count == weightCount && weights.allSatisfy { abs($0) <= 100 })
    }

    /// Replaces the weights by those of another mixer, which must satisfy ``areWeights(_:)``.
    package mutating func adopt(_ weights: [Float]) {
        for (index, weight) in weights.enumerated() { current[index] = weight }
    }
}

/// A prediction whose outcome is known, as ``PredictionMixer`` computed it.
package struct PredictionOutcome: Sendable {
    /// The inputs, named by ``PredictionMixer/inputNames``.
    package var inputs: [Float]
    /// The probability by the weights at that time.
    package var probability: Float
    /// Whether the predicted token followed.
    package var isRight: Bool
}

/// What the drafter learns from outcomes: corrections of the priors, and the weights of the sources.
struct AcceptanceModel: ~Copyable {
    var table = AcceptanceTable()
    var mixer = PredictionMixer()
}
