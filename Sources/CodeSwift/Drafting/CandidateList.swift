// The guesses for one place, from all sources.

import Tokenizers

/// Tokens that may come next at one place of a draft, each with the probability that the sources together give it.
struct CandidateList {
    /// One source's opinion of one token.
    struct Opinion {
        var token: TokenID
        var kind: SourceKind
        /// Number of the source.
        var source: Int
        /// By the formula alone; what experience is counted against.
        var prior: Float
        /// Corrected by experience.
        var probability: Float
        var sort: AcceptanceTable.Sort
        var isBackOff: Bool
    }

    /// A token and what all sources think of it.
    struct Candidate {
        var token: TokenID
        var probability: Float
        /// The kind of guess, for the engine's own corrections: the source that trusts it most, whether that is a back-off,
        /// and how many sources agree.
        var tag: UInt16
    }

    private(set) var opinions: [Opinion] = []

    /// Forgets everything.
    mutating func removeAll() { opinions.removeAll(keepingCapacity: true) }

    mutating func append(_ opinion: Opinion) { opinions.append(opinion) }

    /// Whether a source has an opinion of a token already.
    func hasOpinion(of token: TokenID, from source: Int, since start: Int) -> Bool {
        opinions[start...].contains { $0.token == token && $0.source == source }
    }

    /// Combines the opinions as a chain with escape: the source that is surest comes first, and what probability it leaves is
    /// shared out by the next.
    func combine(sources: Int, into candidates: inout [Candidate]) {
        candidates.removeAll(keepingCapacity: true)
        var best = [Float](repeating: 0, count: sources)
        var mass = [Float](repeating: 0, count: sources)
        for opinion in opinions {
            best[opinion.source] = max(best[opinion.source], opinion.probability)
            mass[opinion.source] += opinion.probability
        }
        var left: Float = 1
        for source in (0..<sources).filter({ best[$0] > 0 }).sorted(by: { best[$0] > best[$1] }) {
            // A source cannot promise more than one token.
            let scale = mass[source] > 0.98 ? 0.98 / mass[source] : 1
            for opinion in opinions where opinion.source == source {
                let share = left * opinion.probability * scale
                if let index = candidates.firstIndex(where: { $0.token == opinion.token }) {
                    candidates[index].probability += share
                    if candidates[index].tag & 0xF < 3 { candidates[index].tag += 1 }
                } else {
                    let tag = UInt16(opinion.kind.rawValue) << 8 | (opinion.isBackOff ? 0x10 : 0)
                    candidates.append(Candidate(token: opinion.token, probability: share, tag: tag))
                }
            }
            left *= 1 - min(mass[source], 0.98)
        }
    }
}
