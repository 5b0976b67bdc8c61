// Guesses from what the model itself thought likely.

import Decoding
import Tokenizers

/// The model's likeliest tokens after the last token, and after the last two, at the place where they were seen last,
/// accepted or not (after Luo et al., "Turning Trash into Treasure", arXiv 2408.08696, which keeps the former).
final class PreferenceSource: DraftSource {
    /// Candidates kept per place.
    static let width = 6

    /// Candidates after one context.
    struct Entry: Equatable {
        /// The context: the last token, and the one before it or −1.
        var last: TokenID
        var previous: TokenID
        var tokens: [TokenID]
        /// Their probabilities among themselves, in thousandths.
        var shares: [UInt16]
    }

    let kind = SourceKind.preference
    /// Bounded: a context replaces the one that hashes alike.
    private(set) var entries: [Entry?]
    private var last: TokenID = -1
    private var previous: TokenID = -1

    /// A memory of about `capacity` contexts.
    init(capacity: Int = 1 << 15) { entries = Array(repeating: nil, count: capacity) }

    /// Learns the candidates after a context; `previous` is −1 where it is not known.
    func insert(_ candidates: [Verification.Candidate], after last: TokenID, _ previous: TokenID) {
        guard let best = candidates.first, last >= 0 else { return }
        let weights = candidates.prefix(Self.width).map { ($0.logit - best.logit).exponentialOfNonPositive }
        let sum = weights.reduce(0, +)
        let shares = weights.map { UInt16(min(max(1000 * $0 / sum, 1), 1000)) }
        let tokens = candidates.prefix(Self.width).map(\.token)
        for previous in previous >= 0 ? [previous, -1] : [-1] {
            insert(Entry(last: last, previous: previous, tokens: tokens, shares: shares))
        }
    }

    /// Puts an entry back that was kept elsewhere.
    func insert(_ entry: Entry) { entries[slot(entry.last, entry.previous)] = entry }

    func reset(to tokens: [TokenID], kept: Int) {
        last = tokens.last ?? -1
        previous = tokens.dropLast().last ?? -1
    }

    func append(_ token: TokenID) { (previous, last) = (last, token) }

    func appendMatches(to matches: inout [Match]) {
        if let match = find(last, previous) { matches.append(match) }
        if let match = find(last, -1) { matches.append(match) }
    }

    func extend(_ match: Match, by token: TokenID) -> Match? {
        // Only the shorter context is extended: by one token it becomes the longer one.
        guard match.length == 1, let entry = entries[match.place] else { return nil }
        return find(token, entry.last)
    }

    func match(of token: TokenID) -> Match? { find(token, -1) }

    func appendContinuations(of match: Match, limit: Int, to continuations: inout [Continuation]) {
        guard let entry = entries[match.place] else { return }
        for (token, share) in zip(entry.tokens, entry.shares).prefix(limit) where token >= 0 {
            continuations.append(Continuation(token: token, count: Int(share)))
        }
    }

    private func find(_ last: TokenID, _ previous: TokenID) -> Match? {
        let slot = slot(last, previous)
        guard let entry = entries[slot], entry.last == last, entry.previous == previous else { return nil }
        let length = previous < 0 ? 1 : 2
        return Match(length: length, shortest: length, occurrences: 1000, place: slot)
    }

    private func slot(_ last: TokenID, _ previous: TokenID) -> Int {
        Int(truncatingIfNeeded: MissTable.extend(MissTable.begin(last), previous) % UInt64(entries.count))
    }
}
