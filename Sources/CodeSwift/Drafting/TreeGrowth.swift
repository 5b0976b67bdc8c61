// Growing a draft tree from the sources.

import Decoding
import Tokenizers

/// Grows a tree best-first, and remembers what each source said at each place, to learn from the outcome.
struct TreeGrowth {
    /// A guess that is not in the tree yet.
    private struct Pending {
        var value: Float
        var token: TokenID
        var parent: Int
        var tag: UInt16
    }

    /// What was found at one place of the tree.
    private struct Place {
        /// Its node, or the root.
        var node: Int
        /// Where its matches are, source by source.
        var matches: [Range<Int>]
        /// Where the sources' opinions are.
        var opinions: Range<Int>
    }

    private var pending: [Pending] = []
    private var matches: [Match] = []
    private var places: [Place] = []
    private var placeOfNode: [Int] = []
    private var opinions: [CandidateList.Opinion] = []

    // Scratch.
    private var list = CandidateList()
    private var candidates: [CandidateList.Candidate] = []
    private var found: [Match] = []
    private var continuations: [Continuation] = []

    /// Orders that are looked at behind the longest.
    private static let backOffs = 3
    /// Continuations taken of a match at the root, and below it.
    private static let width = (root: 8, below: 4)

    /// Forgets the last draft.
    mutating func clear() {
        pending.removeAll(keepingCapacity: true)
        matches.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        placeOfNode.removeAll(keepingCapacity: true)
        opinions.removeAll(keepingCapacity: true)
    }

    /// Adds up to `limit` guesses worth at least `floor` to an empty tree, the most valuable first.
    mutating func grow(
        _ tree: inout DraftTree, _ sources: [any DraftSource], table: AcceptanceTable?, limit: Int, floor: Float
    ) {
        clear()
        expand(DraftTree.root, 1, after: nil, sources, table, floor)
        while tree.count < limit, let best = popBest() {
            let node = tree.insert(best.token, after: best.parent, value: best.value, tag: best.tag)
            guard node == placeOfNode.count else { continue }
            placeOfNode.append(places.count)
            guard tree.count < limit else { return }
            let above = places[best.parent < 0 ? 0 : placeOfNode[best.parent]].matches
            expand(node, best.value, after: (best.token, above), sources, table, floor)
        }
    }

    /// Finds what the sources offer at `node` and queues it; `after` is its token and where its parent's matches are, or nil
    /// for the root.
    private mutating func expand(
        _ node: Int, _ value: Float, after: (token: TokenID, matches: [Range<Int>])?, _ sources: [any DraftSource],
        _ table: AcceptanceTable?, _ floor: Float
    ) {
        var place = Place(node: node, matches: [], opinions: opinions.count..<opinions.count)
        list.removeAll()
        for (number, source) in sources.enumerated() {
            find(in: source, after: after.map { ($0.token, $0.matches[number]) })
            let start = matches.count
            keepSome()
            place.matches.append(start..<matches.count)
            ask(source, number, matches[start...], startsStep: node < 0, table)
        }
        opinions.append(contentsOf: list.opinions)
        place.opinions = place.opinions.lowerBound..<opinions.count
        places.append(place)
        list.combine(sources: sources.count, into: &candidates)
        for candidate in candidates where value * candidate.probability >= floor {
            push(
                Pending(
                    value: value * candidate.probability, token: candidate.token, parent: node, tag: candidate.tag))
        }
    }

    /// Finds a source's matches at a place, the longest first.
    private mutating func find(in source: any DraftSource, after: (token: TokenID, matches: Range<Int>)?) {
        found.removeAll(keepingCapacity: true)
        guard let after else { return source.appendMatches(to: &found) }
        for match in matches[after.matches] {
            if let longer = source.extend(match, by: after.token) { found.append(longer) }
        }
        if let single = source.match(of: after.token), found.last?.shortest != 1 { found.append(single) }
    }

    /// Keeps of the matches found, the longest first, the longest and a few that occur much more often, those of orders 2 and 1
    /// among them.
    private mutating func keepSome() {
        guard let longest = found.first else { return }
        let start = matches.count
        matches.append(longest)
        for match in found.dropFirst() {
            let kept = matches.count - start
            guard kept <= Self.backOffs else { return }
            let last = matches[matches.count - 1]
            let isFrequent = kept == 1 && match.occurrences >= 3 * last.occurrences
            if match.length < last.length, isFrequent || match.shortest <= 2 { matches.append(match) }
        }
    }

    private mutating func ask(
        _ source: any DraftSource, _ number: Int, _ matches: ArraySlice<Match>, startsStep: Bool,
        _ table: AcceptanceTable?
    ) {
        let start = list.opinions.count
        for (level, match) in matches.enumerated() {
            continuations.removeAll(keepingCapacity: true)
            source.appendContinuations(
                of: match, limit: startsStep ? Self.width.root : Self.width.below, to: &continuations)
            for continuation in continuations
            where level == 0 || !list.hasOpinion(of: continuation.token, from: number, since: start) {
                let features = AcceptancePriors.Features(
                    kind: source.kind, length: match.length, occurrences: match.occurrences,
                    share: min(Float(continuation.count) / Float(match.occurrences), 1), isBackOff: level > 0,
                    startsStep: startsStep)
                let prior = AcceptancePriors.probability(features)
                let sort = AcceptanceTable.Sort(features)
                list.append(
                    CandidateList.Opinion(
                        token: continuation.token, kind: source.kind, source: number, prior: prior,
                        probability: table?.correct(prior, sort) ?? prior, sort: sort, isBackOff: level > 0))
            }
        }
    }

    // MARK: Learning

    /// Learns from the outcome of the last draft: every opinion at the root and at each accepted node, offered or not.
    func learn(_ verification: Verification, _ table: inout AcceptanceTable) {
        guard !places.isEmpty else { return }
        var place = places[0]
        for (index, token) in verification.tokens.enumerated() {
            for opinion in opinions[place.opinions] { table.add(opinion.token == token, opinion.prior, opinion.sort) }
            guard index < verification.accepted.count, case let node = verification.accepted[index],
                node < placeOfNode.count, placeOfNode[node] < places.count
            else { return }
            place = places[placeOfNode[node]]
        }
    }

    // MARK: A heap by value

    private mutating func push(_ guess: Pending) {
        pending.append(guess)
        var child = pending.count - 1
        while child > 0, case let parent = (child - 1) / 2, pending[parent].value < pending[child].value {
            pending.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func popBest() -> Pending? {
        guard let best = pending.first else { return nil }
        let last = pending.removeLast()
        guard !pending.isEmpty else { return best }
        pending[0] = last
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < pending.count else { return best }
            if child + 1 < pending.count, pending[child + 1].value > pending[child].value { child += 1 }
            guard pending[child].value > pending[parent].value else { return best }
            pending.swapAt(parent, child)
            parent = child
        }
    }
}
