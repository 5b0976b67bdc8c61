// The predictions of all sources for one node, combined.

import InferTokenizers

/// One source's prediction of one token at one node of a draft.
struct SourcePrediction {
    var token: TokenID
    /// Index of the source in the drafter's list.
    var source: Int32
    var kind: SourceKind
    /// From the fitted formula alone. Observed outcomes are compared with it.
    var prior: Float
    /// The prior, corrected by observed outcomes.
    var probability: Float
    var category: AcceptanceTable.Category
    var isBackOff: Bool
}

/// The tokens that may come next at one node of a draft, each with the combined probability from all sources.
struct PredictionList: ~Copyable {
    /// A token and its probability from all sources.
    struct Prediction {
        var token: TokenID
        /// Combined by the chain of sources.
        var chained: Float
        /// The final value, from the mixer.
        var probability: Float
        /// Identifies the type of prediction for the engine's own calibration: the most confident source, whether its
        /// match is a back-off, and how many sources agree.
        var tag: UInt16
    }

    /// The predictions of one source: a range of indices.
    struct Group {
        var start: Int
        var end: Int
        /// The highest probability among them.
        var best: Float = 0
        /// The sum of their probabilities.
        var mass: Float = 0
    }

    private var predictions = FlatList<Prediction>(capacity: 64)
    private var groups = FlatList<Group>(capacity: 16)
    /// For each prediction, the probability from each kind of source; 0 if that kind does not predict the token.
    private var shares = FlatList<Float>(capacity: 512)
    private var evidence = PredictionMixer.Evidence()
    private var rivals = FlatList(repeating: Rivals(), count: SourceKind.allCases.count)

    /// Maximum sum of the probabilities of one source, and of all sources together.
    private static let maximumMass: Float = 0.98
    /// The mixer does not learn from predictions with a lower chained probability.
    private static let learningThreshold: Float = 0.01

    var count: Int { predictions.count }

    subscript(index: Int) -> Prediction { predictions[index] }

    /// Takes the predictions for one node, which must be grouped by source, and combines them by the chain of sources.
    mutating func combine(_ sourcePredictions: borrowing FlatList<SourcePrediction>, in range: Range<Int>) {
        predictions.truncate()
        shares.truncate()
        for kind in SourceKind.allCases { rivals[kind.rawValue] = Rivals() }
        group(sourcePredictions, range)
        chain(sourcePredictions)
        for kind in SourceKind.allCases { rivals[kind.rawValue].takeLogarithms() }
    }

    /// Recomputes, by the mixer, the probabilities of the predictions whose chained probability is at least `least`.
    mutating func mix(_ mixer: borrowing PredictionMixer, least: Float) {
        var mass: Float = 0
        for index in 0..<predictions.count {
            if predictions[index].chained >= least {
                weigh(index)
                predictions[index].probability = mixer.probability(evidence)
            }
            mass += predictions[index].probability
        }
        guard mass > Self.maximumMass else { return }
        for index in 0..<predictions.count { predictions[index].probability *= Self.maximumMass / mass }
    }

    /// Trains the mixer with the token that actually followed.
    ///
    /// - Parameter observer: Also receives the outcomes, all of one node in one call.
    mutating func teach(_ mixer: inout PredictionMixer, _ next: TokenID, observer: (([PredictionOutcome]) -> Void)?) {
        var outcomes: [PredictionOutcome] = []
        for index in 0..<predictions.count where predictions[index].chained >= Self.learningThreshold {
            weigh(index)
            let isRight = predictions[index].token == next
            if observer != nil {
                outcomes.append(
                    PredictionOutcome(
                        inputs: evidence.values, probability: mixer.probability(evidence), isRight: isRight))
            }
            mixer.learn(evidence, isRight: isRight)
        }
        if !outcomes.isEmpty { observer?(outcomes) }
    }

    /// Finds the group of each source and sorts the groups by their best probability, highest first.
    private mutating func group(_ sourcePredictions: borrowing FlatList<SourcePrediction>, _ range: Range<Int>) {
        groups.truncate()
        var start = range.lowerBound
        while start < range.upperBound {
            var group = Group(start: start, end: start)
            while group.end < range.upperBound, sourcePredictions[group.end].source == sourcePredictions[start].source {
                group.best = max(group.best, sourcePredictions[group.end].probability)
                group.mass += sourcePredictions[group.end].probability
                group.end += 1
            }
            start = group.end
            groups.append(group)
            var index = groups.count - 1
            while index > 0, groups[index - 1].best < group.best {
                groups[index] = groups[index - 1]
                index -= 1
            }
            groups[index] = group
        }
    }

    /// Combines the predictions as a chain with escape: the most confident source comes first, and the next sources
    /// share the probability that it leaves.
    private mutating func chain(_ sourcePredictions: borrowing FlatList<SourcePrediction>) {
        var left: Float = 1
        for number in 0..<groups.count {
            let group = groups[number]
            // The probabilities of one source must not add up to more than 1.
            let scale = left * (group.mass > Self.maximumMass ? Self.maximumMass / group.mass : 1)
            for index in group.start..<group.end { add(sourcePredictions[index], scale) }
            left *= 1 - min(group.mass, Self.maximumMass)
        }
    }

    private mutating func add(_ sourcePrediction: SourcePrediction, _ scale: Float) {
        let probability = scale * sourcePrediction.probability
        let kinds = SourceKind.allCases.count
        var index = 0
        while index < predictions.count, predictions[index].token != sourcePrediction.token { index += 1 }
        if index < predictions.count {
            predictions[index].chained += probability
            predictions[index].probability += probability
            if predictions[index].tag & 0xF < 3 { predictions[index].tag += 1 }
        } else {
            let tag = UInt16(sourcePrediction.kind.rawValue) << 8 | (sourcePrediction.isBackOff ? 0x10 : 0)
            predictions.append(
                Prediction(token: sourcePrediction.token, chained: probability, probability: probability, tag: tag))
            for _ in 0..<kinds { shares.append(0) }
        }
        let share = index * kinds + sourcePrediction.kind.rawValue
        shares[share] = max(shares[share], sourcePrediction.probability)
        rivals[sourcePrediction.kind.rawValue].add(sourcePrediction)
    }

    // MARK: What the mixer weighs

    /// The two most probable tokens of one kind of source.
    struct Rivals {
        var token: TokenID = -1
        var best: Float = 0
        var second: Float = 0
        /// The log-probability that is left when each of them is excluded.
        var logRests: (best: Float, second: Float) = (0, 0)

        mutating func add(_ sourcePrediction: SourcePrediction) {
            if sourcePrediction.token == token {
                best = max(best, sourcePrediction.probability)
            } else if sourcePrediction.probability > best {
                second = best
                (token, best) = (sourcePrediction.token, sourcePrediction.probability)
            } else {
                second = max(second, sourcePrediction.probability)
            }
        }

        mutating func takeLogarithms() {
            guard best > 0 else { return }
            logRests = (PredictionMixer.Evidence.logRest(best), PredictionMixer.Evidence.logRest(second))
        }
    }

    /// Sets the mixer's inputs for a prediction.
    private mutating func weigh(_ index: Int) {
        let prediction = predictions[index]
        evidence.begin(
            chained: prediction.chained, agreeing: Int(prediction.tag & 0xF), isBackOff: prediction.tag & 0x10 != 0)
        for kind in SourceKind.allCases where rivals[kind.rawValue].best > 0 {
            let share = shares[index * SourceKind.allCases.count + kind.rawValue]
            if share > 0 { evidence.add(kind, for: share) }
            let rivals = rivals[kind.rawValue]
            if rivals.token != prediction.token {
                evidence.add(kind, logRest: rivals.logRests.best)
            } else if rivals.second > 0 {
                evidence.add(kind, logRest: rivals.logRests.second)
            }
        }
    }
}
