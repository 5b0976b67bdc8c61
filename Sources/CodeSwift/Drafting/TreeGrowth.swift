// Growing a draft tree from the sources, and learning from its outcome.

import InferDecoding
import InferTokenizers

/// Grows a tree best-first, and remembers what each source said at each place, to learn from the outcome.
///
/// All memory is kept from draft to draft.
struct TreeGrowth: ~Copyable {
    /// What was found at one place of the tree.
    struct Place {
        /// Where the sources' opinions are.
        var opinions: Int
        var opinionsEnd: Int
        /// Where in ``matchStarts`` its sources' matches begin.
        var matches: Int
    }

    private var queue = GuessQueue()
    private var places = FlatList<Place>()
    /// The place of each node of the tree.
    private var placeOfNode = FlatList<Int32>()
    private var matches = MatchList()
    /// For each place and source where its matches begin, and after a place's last source where they end.
    private var matchStarts = FlatList<Int32>(capacity: 512)
    private var opinions = FlatList<Opinion>(capacity: 512)
    private var followings = FollowingList()
    private var candidates = CandidateList()
    /// Candidates of the last place that will be looked behind.
    private var worthwhile = FlatList<TokenID>()
    private let priors = AcceptancePriors()

    /// So many floors make a guess worth looking behind: what follows it is worth less than itself.
    private static let expansion: Float = 2
    /// Continuations taken of a match at the root, and below it; at most ``PatternMemo/width``.
    private static let width = (root: 8, below: 4)

    /// Candidates that only a mixer that made them more than so many times likelier could bring above the floor are not weighed.
    private static let mostRise: Float = 8
    /// What the model thought elsewhere after the same token or two is worth so much of what it was worth there. With 0.3 to 0.5,
    /// replayed references go 1.6 % faster than with 1.
    private static let preferenceTrust: Float = 0.4

    /// Forgets the last draft.
    mutating func clear() {
        queue.removeAll()
        places.truncate()
        placeOfNode.truncate()
        matches.removeAll()
        matchStarts.truncate()
        opinions.truncate()
    }

    /// Adds up to `limit` guesses worth at least `floor` to an empty tree, the most valuable first.
    ///
    /// - Parameter calibrates: Whether what was learned corrects the priors.
    mutating func grow(
        _ tree: inout DraftTree, _ sources: [any DraftSource], _ experience: borrowing Experience, calibrates: Bool,
        limit: Int, floor: Float
    ) {
        clear()
        expand(DraftTree.root, token: -1, 1, above: 0, sources, experience, calibrates, floor)
        while tree.count < limit, let best = queue.popBest() {
            let parent = Int(best.parent)
            let node = tree.insert(best.token, after: parent, value: best.value, tag: best.tag)
            guard tree.count < limit else { return }
            guard best.value >= Self.expansion * floor else {
                placeOfNode.append(-1)
                continue
            }
            placeOfNode.append(Int32(places.count))
            let above = parent < 0 ? 0 : Int(placeOfNode[parent])
            expand(node, token: best.token, best.value, above: above, sources, experience, calibrates, floor)
        }
    }

    /// Finds what the sources offer at `node`, which guesses `token` after the place `above`, and queues it.
    private mutating func expand(
        _ node: Int, token: TokenID, _ value: Float, above: Int, _ sources: [any DraftSource],
        _ experience: borrowing Experience, _ calibrates: Bool, _ floor: Float
    ) {
        let startsStep = node < 0
        let start = opinions.count
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
            followings.removeAll()
            source.addFollowings(
                of: first..<matches.count, in: matches, limit: startsStep ? Self.width.root : Self.width.below,
                to: &followings)
            formOpinions(number, source.kind, matchesFrom: first, startsStep: startsStep, experience.table, calibrates)
        }
        matchStarts.append(Int32(matches.count))
        places.append(Place(opinions: start, opinionsEnd: opinions.count, matches: firstMatches))
        candidates.combine(opinions, in: start..<opinions.count)
        if calibrates { candidates.mix(experience.mixer, least: floor / value / Self.mostRise) }
        worthwhile.truncate()
        for index in 0..<candidates.count {
            let candidate = candidates[index]
            let product = value * candidate.probability
            guard product >= floor else { continue }
            if product >= Self.expansion * floor { worthwhile.append(candidate.token) }
            queue.push(
                GuessQueue.Guess(
                    value: product, token: candidate.token, parent: Int32(node), tag: candidate.tag))
        }
        guard !worthwhile.isEmpty else { return }
        for number in sources.indices {
            let range = Int(matchStarts[firstMatches + number])..<Int(matchStarts[firstMatches + number + 1])
            sources[number].prepare(range, in: matches, by: worthwhile)
        }
    }

    /// Turns what follows one source's matches into opinions. A token that follows a longer match has its opinion from there.
    private mutating func formOpinions(
        _ source: Int, _ kind: SourceKind, matchesFrom first: Int, startsStep: Bool, _ table: borrowing AcceptanceTable,
        _ calibrates: Bool
    ) {
        let start = opinions.count
        var index = 0
        while index < followings.count {
            let level = followings[index].level
            let match = matches[first + Int(level)]
            let length = Int(match.length)
            let line = priors.line(
                kind, length: length, occurrences: match.occurrences, isBackOff: level > 0, startsStep: startsStep)
            let matchSort = AcceptanceTable.sort(
                kind, length: length, occurrences: match.occurrences, isBackOff: level > 0)
            let known = opinions.count
            while index < followings.count, case let following = followings[index], following.level == level {
                index += 1
                guard !hasOpinion(of: following.token, in: start..<known) else { continue }
                let count = Int(following.count)
                let prior =
                    line.map { priors.probability($0, count: count, occurrences: match.occurrences) }
                    ?? Self.preferenceTrust * Float(count) / Float(match.occurrences)
                let sort = AcceptanceTable.sort(matchSort, count: count, occurrences: match.occurrences)
                opinions.append(
                    Opinion(
                        token: following.token, source: Int32(source), kind: kind, prior: prior,
                        probability: calibrates ? table.correct(prior, sort) : prior, sort: sort,
                        isBackOff: level > 0))
            }
        }
    }

    private func hasOpinion(of token: TokenID, in range: Range<Int>) -> Bool {
        for index in range where opinions[index].token == token { return true }
        return false
    }

    /// Learns from the outcome of the last draft: every opinion at the root and at each accepted node, offered or not.
    ///
    /// - Parameter observer: Who is told what became of each place's guesses.
    mutating func learn(
        _ verification: Verification, _ experience: inout Experience, observer: (([GuessOutcome]) -> Void)?
    ) {
        guard places.count > 0 else { return }
        var place = places[0]
        for (index, token) in verification.tokens.enumerated() {
            let range = place.opinions..<place.opinionsEnd
            candidates.combine(opinions, in: range)
            candidates.teach(&experience.mixer, token, observer: observer)
            for number in range {
                let opinion = opinions[number]
                experience.table.add(opinion.token == token, opinion.prior, opinion.sort)
            }
            guard index < verification.accepted.count, case let node = verification.accepted[index],
                node < placeOfNode.count, case let next = Int(placeOfNode[node]), next >= 0
            else { return }
            place = places[next]
        }
    }
}

/// A heap of guesses, the most valuable on top.
struct GuessQueue: ~Copyable {
    /// A guess that is not in the tree yet.
    struct Guess {
        var value: Float
        var token: TokenID
        var parent: Int32
        var tag: UInt16
    }

    private var guesses = FlatList<Guess>(capacity: 256)

    mutating func removeAll() { guesses.truncate() }

    mutating func push(_ guess: Guess) {
        guesses.append(guess)
        var child = guesses.count - 1
        while child > 0, case let parent = (child - 1) / 2, guesses[parent].value < guess.value {
            guesses[child] = guesses[parent]
            child = parent
        }
        guesses[child] = guess
    }

    mutating func popBest() -> Guess? {
        guard guesses.count > 0 else { return nil }
        let best = guesses[0]
        let count = guesses.count - 1
        let last = guesses[count]
        guesses.truncate(to: count)
        guard count > 0 else { return best }
        var parent = 0
        while case var child = 2 * parent + 1, child < count {
            if child + 1 < count, guesses[child + 1].value > guesses[child].value { child += 1 }
            guard guesses[child].value > last.value else { break }
            guesses[parent] = guesses[child]
            parent = child
        }
        guesses[parent] = last
        return best
    }
}
