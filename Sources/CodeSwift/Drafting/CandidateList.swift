// The guesses for one place, from all sources.

import Tokenizers

/// Tokens that may come next at one place of a draft, each with the probability that the sources together give it.
struct CandidateList: ~Copyable {
    /// A token and what all sources think of it.
    struct Candidate {
        var token: TokenID
        var probability: Float
        /// The kind of guess, for the engine's own corrections: the source that trusts it most, whether that is a back-off,
        /// and how many sources agree.
        var tag: UInt16
    }

    /// One source's opinions.
    private struct Group {
        var kind: SourceKind
        var start: Int
        var end: Int
        /// The probability of the guess it trusts most.
        var best: Float = 0
        /// The sum of all.
        var mass: Float = 0
    }

    private var candidates = FlatList<Candidate>(capacity: 64)
    private var groups = FlatList<Group>(capacity: 16)

    /// The most that the guesses of one source can be worth together.
    private static let mostMass: Float = 0.98

    var count: Int { candidates.count }

    subscript(index: Int) -> Candidate { candidates[index] }

    /// Forgets everything.
    mutating func removeAll() {
        candidates.truncate()
        groups.truncate()
    }

    /// Takes note of a source's opinions, those from `start` on, sources that are surer first.
    mutating func add(_ kind: SourceKind, _ opinions: borrowing FlatList<Opinion>, from start: Int) {
        guard start < opinions.count else { return }
        var group = Group(kind: kind, start: start, end: opinions.count)
        for index in start..<opinions.count {
            group.best = max(group.best, opinions[index].probability)
            group.mass += opinions[index].probability
        }
        groups.append(group)
        var index = groups.count - 1
        while index > 0, groups[index - 1].best < group.best {
            groups[index] = groups[index - 1]
            index -= 1
        }
        groups[index] = group
    }

    /// Combines the opinions as a chain with escape: the source that is surest comes first, and what probability it leaves is
    /// shared out by the next.
    mutating func combine(_ opinions: borrowing FlatList<Opinion>) {
        var left: Float = 1
        for number in 0..<groups.count {
            let group = groups[number]
            // A source cannot promise more than one token.
            let scale = left * (group.mass > Self.mostMass ? Self.mostMass / group.mass : 1)
            for index in group.start..<group.end {
                let opinion = opinions[index]
                add(opinion.token, scale * opinion.probability, group.kind, isBackOff: opinion.isBackOff)
            }
            left *= 1 - min(group.mass, Self.mostMass)
        }
    }

    private mutating func add(_ token: TokenID, _ probability: Float, _ kind: SourceKind, isBackOff: Bool) {
        var index = 0
        while index < candidates.count, candidates[index].token != token { index += 1 }
        if index < candidates.count {
            candidates[index].probability += probability
            if candidates[index].tag & 0xF < 3 { candidates[index].tag += 1 }
        } else {
            let tag = UInt16(kind.rawValue) << 8 | (isBackOff ? 0x10 : 0)
            candidates.append(Candidate(token: token, probability: probability, tag: tag))
        }
    }
}
