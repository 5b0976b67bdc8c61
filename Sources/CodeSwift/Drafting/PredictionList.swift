// The predictions of all sources for one node, combined.

import InferTokenizers

/// One source's opinion of one token at one place of a draft.
struct Opinion {
    var token: TokenID
    /// Which of the drafter's sources it is.
    var source: Int32
    var kind: SourceKind
    /// By the formula alone; what experience is counted against.
    var prior: Float
    /// Corrected by experience.
    var probability: Float
    var sort: AcceptanceTable.Sort
    var isBackOff: Bool
}

/// Tokens that may come next at one place of a draft, each with the probability that the sources together give it.
struct CandidateList: ~Copyable {
    /// A token and what all sources think of it.
    struct Candidate {
        var token: TokenID
        /// By the chain of sources.
        var chained: Float
        /// By the mixer, in the end.
        var probability: Float
        /// The kind of guess, for the engine's own corrections: the source that trusts it most, whether that is a back-off,
        /// and how many sources agree.
        var tag: UInt16
    }

    /// One source's opinions.
    struct Group {
        var start: Int
        var end: Int
        /// The probability of the guess it trusts most.
        var best: Float = 0
        /// The sum of all.
        var mass: Float = 0
    }

    private var candidates = FlatList<Candidate>(capacity: 64)
    private var groups = FlatList<Group>(capacity: 16)
    /// What each kind of source thinks of each candidate; 0 where it does not offer it.
    private var shares = FlatList<Float>(capacity: 512)
    private var evidence = GuessMixer.Evidence()
    private var rivals = FlatList(repeating: Rivals(), count: SourceKind.allCases.count)

    /// The most that the guesses of one source, or all together, can be worth.
    private static let mostMass: Float = 0.98
    /// Guesses that the chain of sources gives less teach nothing.
    private static let leastLesson: Float = 0.01

    var count: Int { candidates.count }

    subscript(index: Int) -> Candidate { candidates[index] }

    /// Takes the opinions of one place, those of a source next to each other, and combines them by the chain of sources.
    mutating func combine(_ opinions: borrowing FlatList<Opinion>, in range: Range<Int>) {
        candidates.truncate()
        shares.truncate()
        for kind in SourceKind.allCases { rivals[kind.rawValue] = Rivals() }
        group(opinions, range)
        chain(opinions)
        for kind in SourceKind.allCases { rivals[kind.rawValue].takeLogarithms() }
    }

    /// Corrects the probabilities of the candidates that the chain of sources gives at least `least`.
    mutating func mix(_ mixer: borrowing GuessMixer, least: Float) {
        var mass: Float = 0
        for index in 0..<candidates.count {
            if candidates[index].chained >= least {
                weigh(index)
                candidates[index].probability = mixer.probability(evidence)
            }
            mass += candidates[index].probability
        }
        guard mass > Self.mostMass else { return }
        for index in 0..<candidates.count { candidates[index].probability *= Self.mostMass / mass }
    }

    /// Teaches the mixer which token followed.
    ///
    /// - Parameter observer: Who else is told of the outcomes, all of the place at once.
    mutating func teach(_ mixer: inout GuessMixer, _ next: TokenID, observer: (([GuessOutcome]) -> Void)?) {
        var outcomes: [GuessOutcome] = []
        for index in 0..<candidates.count where candidates[index].chained >= Self.leastLesson {
            weigh(index)
            let isRight = candidates[index].token == next
            if observer != nil {
                outcomes.append(
                    GuessOutcome(
                        inputs: evidence.values, probability: mixer.probability(evidence), isRight: isRight))
            }
            mixer.learn(evidence, isRight: isRight)
        }
        if !outcomes.isEmpty { observer?(outcomes) }
    }

    /// Takes note of each source's opinions, sources that are surer first.
    private mutating func group(_ opinions: borrowing FlatList<Opinion>, _ range: Range<Int>) {
        groups.truncate()
        var start = range.lowerBound
        while start < range.upperBound {
            var group = Group(start: start, end: start)
            while group.end < range.upperBound, opinions[group.end].source == opinions[start].source {
                group.best = max(group.best, opinions[group.end].probability)
                group.mass += opinions[group.end].probability
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

    /// Combines the opinions as a chain with escape: the source that is surest comes first, and what probability it leaves is
    /// shared out by the next.
    private mutating func chain(_ opinions: borrowing FlatList<Opinion>) {
        var left: Float = 1
        for number in 0..<groups.count {
            let group = groups[number]
            // A source cannot promise more than one token.
            let scale = left * (group.mass > Self.mostMass ? Self.mostMass / group.mass : 1)
            for index in group.start..<group.end { add(opinions[index], scale) }
            left *= 1 - min(group.mass, Self.mostMass)
        }
    }

    private mutating func add(_ opinion: Opinion, _ scale: Float) {
        let probability = scale * opinion.probability
        let kinds = SourceKind.allCases.count
        var index = 0
        while index < candidates.count, candidates[index].token != opinion.token { index += 1 }
        if index < candidates.count {
            candidates[index].chained += probability
            candidates[index].probability += probability
            if candidates[index].tag & 0xF < 3 { candidates[index].tag += 1 }
        } else {
            let tag = UInt16(opinion.kind.rawValue) << 8 | (opinion.isBackOff ? 0x10 : 0)
            candidates.append(
                Candidate(token: opinion.token, chained: probability, probability: probability, tag: tag))
            for _ in 0..<kinds { shares.append(0) }
        }
        let share = index * kinds + opinion.kind.rawValue
        shares[share] = max(shares[share], opinion.probability)
        rivals[opinion.kind.rawValue].add(opinion)
    }

    // MARK: What the mixer weighs

    /// The two tokens that a kind of source trusts most.
    struct Rivals {
        var token: TokenID = -1
        var best: Float = 0
        var second: Float = 0
        /// What they leave.
        var logRests: (best: Float, second: Float) = (0, 0)

        mutating func add(_ opinion: Opinion) {
            if opinion.token == token {
                best = max(best, opinion.probability)
            } else if opinion.probability > best {
                second = best
                (token, best) = (opinion.token, opinion.probability)
            } else {
                second = max(second, opinion.probability)
            }
        }

        mutating func takeLogarithms() {
            guard best > 0 else { return }
            logRests = (GuessMixer.Evidence.logRest(best), GuessMixer.Evidence.logRest(second))
        }
    }

    /// Puts together what speaks for and against a candidate.
    private mutating func weigh(_ index: Int) {
        let candidate = candidates[index]
        evidence.begin(
            chained: candidate.chained, agreeing: Int(candidate.tag & 0xF), isBackOff: candidate.tag & 0x10 != 0)
        for kind in SourceKind.allCases where rivals[kind.rawValue].best > 0 {
            let share = shares[index * SourceKind.allCases.count + kind.rawValue]
            if share > 0 { evidence.add(kind, for: share) }
            let rivals = rivals[kind.rawValue]
            if rivals.token != candidate.token {
                evidence.add(kind, logRest: rivals.logRests.best)
            } else if rivals.second > 0 {
                evidence.add(kind, logRest: rivals.logRests.second)
            }
        }
    }
}
