// Growing a draft tree from the sources, and learning from its outcome.

import InferDecoding
import InferTokenizers

/// Grows a draft tree best-first, and records each source's predictions at each node to learn from the outcome.
///
/// Memory is reused from draft to draft.
struct TreeGrowth: ~Copyable {
    /// What the sources found at one node of the tree.
    struct Place {
        /// Range of the sources' predictions in ``sourcePredictions``.
        var predictions: Int
        var predictionsEnd: Int
        /// Index in ``matchStarts`` of its first source.
        var matches: Int
    }

    private var queue = PredictionQueue()
    private var places = FlatList<Place>()
    /// The place of each node of the tree; −1 if the node was not expanded.
    private var placeOfNode = FlatList<Int32>()
    private var matches = MatchList()
    /// For each place and source the index of its first match; after a place's last source, the end of its matches.
    private var matchStarts = FlatList<Int32>(capacity: 512)
    private var sourcePredictions = FlatList<SourcePrediction>(capacity: 512)
    private var continuations = ContinuationList()
    private var predictions = PredictionList()
    /// The tokens of the current place whose nodes would be expanded.
    private var expandable = FlatList<TokenID>()
    private let priors = AcceptancePriors()

    /// Expand a node only if its value is at least this many times the floor: its children are worth less than itself.
    private static let expansionFactor: Float = 2
    /// Number of continuations per match at the root and below it; at most ``PatternMemo/width``.
    private static let width = (root: 8, below: 4)

    /// A prediction goes to the mixer only if an increase by this factor could bring it above the floor.
    private static let maximumGain: Float = 8
    /// Weight of the model's top tokens at another place after the same one or two tokens. With 0.3 to 0.5, replayed
    /// references run 1.6 % faster than with 1.
    private static let preferenceTrust: Float = 0.4

    /// Forgets the last draft.
    mutating func clear() {
        queue.removeAll()
        places.truncate()
        placeOfNode.truncate()
        matches.removeAll()
        matchStarts.truncate()
        sourcePredictions.truncate()
    }

    /// Adds up to `limit` nodes with a value of at least `floor` to an empty tree, most valuable first.
    ///
    /// - Parameters:
    ///   - tree: The tree to fill.
    ///   - sources: Where predictions come from.
    ///   - acceptance: What was learned from outcomes.
    ///   - calibrates: Whether it corrects the priors.
    ///   - limit: Maximum number of nodes.
    ///   - floor: Minimum value of a node: the probability that the whole path to it is accepted.
    mutating func grow(
        _ tree: inout DraftTree, _ sources: [any DraftSource], _ acceptance: borrowing AcceptanceModel,
        calibrates: Bool, limit: Int, floor: Float
    ) {
        clear()
        expand(DraftTree.root, token: -1, 1, above: 0, sources, acceptance, calibrates, floor)
        while tree.count < limit, let best = queue.popBest() {
            let parent = Int(best.parent)
            let node = tree.insert(best.token, after: parent, value: best.value, tag: best.tag)
            guard tree.count < limit else { return }
            guard best.value >= Self.expansionFactor * floor else {
                placeOfNode.append(-1)
                continue
            }
            placeOfNode.append(Int32(places.count))
            let above = parent < 0 ? 0 : Int(placeOfNode[parent])
            expand(node, token: best.token, best.value, above: above, sources, acceptance, calibrates, floor)
        }
    }

    /// Collects the sources' predictions at `node`, which holds `token` and whose parent has the place `above`, and
    /// queues them.
    private mutating func expand(
        _ node: Int, token: TokenID, _ value: Float, above: Int, _ sources: [any DraftSource],
        _ acceptance: borrowing AcceptanceModel, _ calibrates: Bool, _ floor: Float
    ) {
        let startsStep = node < 0
        let start = sourcePredictions.count
        let firstMatches = matchStarts.count
        for number in sources.indices {
            let source = sources[number]
            let first = matches.begin()
            matchStarts.append(Int32(first))
            if startsStep {
                source.findEndings(&matches)
            } else {
                let place = places[above].matches + number
                source.extend(Int(matchStarts[place])..<Int(matchStarts[place + 1]), by: token, &matches)
            }
            guard first < matches.count else { continue }
            continuations.removeAll()
            source.addContinuations(
                of: first..<matches.count, in: matches, limit: startsStep ? Self.width.root : Self.width.below,
                to: &continuations)
            addSourcePredictions(
                number, source.kind, matchesFrom: first, startsStep: startsStep, acceptance.table, calibrates)
        }
        matchStarts.append(Int32(matches.count))
        places.append(Place(predictions: start, predictionsEnd: sourcePredictions.count, matches: firstMatches))
        predictions.combine(sourcePredictions, in: start..<sourcePredictions.count)
        if calibrates { predictions.mix(acceptance.mixer, least: floor / value / Self.maximumGain) }
        expandable.truncate()
        for index in 0..<predictions.count {
            let prediction = predictions[index]
            let product = value * prediction.probability
            guard product >= floor else { continue }
            if product >= Self.expansionFactor * floor { expandable.append(prediction.token) }
            queue.push(
                PredictionQueue.Entry(
                    value: product, token: prediction.token, parent: Int32(node), tag: prediction.tag))
        }
        guard !expandable.isEmpty else { return }
        for number in sources.indices {
            let range = Int(matchStarts[firstMatches + number])..<Int(matchStarts[firstMatches + number + 1])
            sources[number].prepare(range, in: matches, by: expandable)
        }
    }

    /// Turns the continuations of one source's matches into predictions. If several matches have the same continuation,
    /// the longest match decides.
    private mutating func addSourcePredictions(
        _ source: Int, _ kind: SourceKind, matchesFrom first: Int, startsStep: Bool, _ table: borrowing AcceptanceTable,
        _ calibrates: Bool
    ) {
        let start = sourcePredictions.count
        var index = 0
        while index < continuations.count {
            let level = continuations[index].level
            let match = matches[first + Int(level)]
            let length = Int(match.length)
            let line = priors.line(
                kind, length: length, occurrences: match.occurrences, isBackOff: level > 0, startsStep: startsStep)
            let matchCategory = AcceptanceTable.category(
                kind, length: length, occurrences: match.occurrences, isBackOff: level > 0)
            let known = sourcePredictions.count
            while index < continuations.count, case let continuation = continuations[index], continuation.level == level
            {
                index += 1
                guard !hasPrediction(of: continuation.token, in: start..<known) else { continue }
                let count = Int(continuation.count)
                let prior =
                    line.map { priors.probability($0, count: count, occurrences: match.occurrences) }
                    ?? Self.preferenceTrust * Float(count) / Float(match.occurrences)
                let category = AcceptanceTable.category(matchCategory, count: count, occurrences: match.occurrences)
                sourcePredictions.append(
                    SourcePrediction(
                        token: continuation.token, source: Int32(source), kind: kind, prior: prior,
                        probability: calibrates ? table.correct(prior, category) : prior, category: category,
                        isBackOff: level > 0))
            }
        }
    }

    private func hasPrediction(of token: TokenID, in range: Range<Int>) -> Bool {
        for index in range where sourcePredictions[index].token == token { return true }
        return false
    }

    /// Learns from the outcome of the last draft: from every prediction at the root and at each accepted node, whether
    /// or not it was in the tree.
    ///
    /// - Parameter observer: Receives the outcomes of each node's predictions.
    mutating func learn(
        _ outcome: DraftOutcome, _ acceptance: inout AcceptanceModel, observer: (([PredictionOutcome]) -> Void)?
    ) {
        guard places.count > 0 else { return }
        var place = places[0]
        for (index, token) in outcome.tokens.enumerated() {
            let range = place.predictions..<place.predictionsEnd
            predictions.combine(sourcePredictions, in: range)
            predictions.teach(&acceptance.mixer, token, observer: observer)
            for number in range {
                let prediction = sourcePredictions[number]
                acceptance.table.add(prediction.token == token, prediction.prior, prediction.category)
            }
            guard index < outcome.accepted.count, case let node = outcome.accepted[index],
                node < placeOfNode.count, case let next = Int(placeOfNode[node]), next >= 0
            else { return }
            place = places[next]
        }
    }
}

/// A heap of predictions that are not in the tree yet, the most valuable on top.
struct PredictionQueue: ~Copyable {
    /// A prediction and the node that would be its parent.
    struct Entry {
        var value: Float
        var token: TokenID
        var parent: Int32
        var tag: UInt16
    }

    private var entries = FlatList<Entry>(capacity: 256)

    mutating func removeAll() { entries.truncate() }

    mutating func push(_ entry: Entry) {
        entries.append(entry)
        var child = entries.count - 1
        while child > 0, case let parent = (child - 1) / 2, entries[parent].value < entry.value {
            entries[child] = entries[parent]
            child = parent
        }
        entries[child] = entry
    }

    mutating func popBest() -> Entry? {
        guard entries.count > 0 else { return nil }
        let best = entries[0]
        let count = entries.count - 1
        let last = entries[count]
        entries.truncate(to: count)
        guard count > 0 else { return best }
        var parent = 0
        while case var child = 2 * parent + 1, child < count {
            if child + 1 < count, entries[child + 1].value > entries[child].value { child += 1 }
            guard entries[child].value > last.value else { break }
            entries[parent] = entries[child]
            parent = child
        }
        entries[parent] = last
        return best
    }
}
