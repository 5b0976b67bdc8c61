// The source that remembers the model's own top tokens.

import InferDecoding
import InferSupport
import InferTokenizers

/// Predicts the model's own top tokens: those at the last place with the same last token, or the same last two tokens,
/// whether or not they were accepted (after Luo et al., "Turning Trash into Treasure", arXiv 2408.08696, which uses the
/// last token only).
final class PreferenceSource: DraftSource {
    /// Number of top tokens kept per context.
    static let width = 6

    /// A top token and its share of the probability of those kept, in thousandths.
    struct Preference: Equatable {
        var token: TokenID
        var share: Int32
    }

    /// The last token and the one before it, or −1. The entry is unused if `last` is negative.
    struct Context: Equatable {
        var last: TokenID
        var previous: TokenID
    }

    /// Default number of contexts.
    static let standardCapacity = 1 << 15

    let kind = SourceKind.preference
    /// Number of slots for contexts. A new context replaces the one in its slot.
    let capacity: Int
    private var contexts: FlatList<Context>
    /// ``width`` preferences per context. Those with share 0 are unused.
    private var preferences: FlatList<Preference>
    private var last: TokenID = -1
    private var previous: TokenID = -1

    /// An empty memory for about `capacity` contexts.
    init(capacity: Int = PreferenceSource.standardCapacity) {
        self.capacity = capacity
        contexts = FlatList(repeating: Context(last: -1, previous: -1), count: capacity)
        preferences = FlatList(repeating: Preference(token: 0, share: 0), count: capacity * Self.width)
    }

    /// Stores the top tokens after a context. `previous` is −1 if it is not known.
    func insert(_ topTokens: [TopToken], after last: TokenID, _ previous: TokenID) {
        guard let best = topTokens.first, last >= 0 else { return }
        var sum: Float = 0
        for top in topTokens.prefix(Self.width) {
            sum += (top.logit - best.logit).exponentialOfNonPositive
        }
        let slots = (slot(last, -1), previous >= 0 ? slot(last, previous) : -1)
        contexts[slots.0] = Context(last: last, previous: -1)
        if slots.1 >= 0 { contexts[slots.1] = Context(last: last, previous: previous) }
        for place in 0..<Self.width {
            var preference = Preference(token: 0, share: 0)
            if place < topTokens.count {
                let weight = (topTokens[place].logit - best.logit).exponentialOfNonPositive
                preference = Preference(
                    token: topTokens[place].token, share: Int32(min(max(1000 * weight / sum, 1), 1000)))
            }
            preferences[slots.0 * Self.width + place] = preference
            if slots.1 >= 0 { preferences[slots.1 * Self.width + place] = preference }
        }
    }

    // MARK: As plain numbers

    /// Numbers per record: the last token, the token before it, and the token and share of each preference.
    static let recordLength = 2 + 2 * width

    /// Whether `numbers` are valid records with token ids in `tokens`, where −1 means none.
    static func areRecords(_ numbers: [Int32], of tokens: Range<Int32>) -> Bool {
        guard numbers.count.isMultiple(of: recordLength) else { return false }
        return numbers.indices.allSatisfy { index in
            let place = index % recordLength
            let isShare = place >= 2 && !place.isMultiple(of: 2)
            return isShare ? (0...1000).contains(numbers[index]) : tokens.contains(numbers[index])
        }
    }

    /// All contexts with their preferences.
    var records: [Int32] {
        var numbers: [Int32] = []
        for slot in 0..<capacity where contexts[slot].last >= 0 {
            numbers.append(contexts[slot].last)
            numbers.append(contexts[slot].previous)
            for place in slot * Self.width..<(slot + 1) * Self.width {
                numbers.append(preferences[place].token)
                numbers.append(preferences[place].share)
            }
        }
        return numbers
    }

    /// Adds the contexts whose slots are unused.
    func insert(records: [Int32]) {
        for start in stride(from: 0, to: records.count, by: Self.recordLength) where records[start] >= 0 {
            let slot = slot(records[start], records[start + 1])
            guard contexts[slot].last < 0 else { continue }
            contexts[slot] = Context(last: records[start], previous: records[start + 1])
            for place in 0..<Self.width {
                preferences[slot * Self.width + place] = Preference(
                    token: records[start + 2 + 2 * place], share: records[start + 3 + 2 * place])
            }
        }
    }

    // MARK: As a source

    func reset(to tokens: [TokenID], kept: Int) {
        last = tokens.last ?? -1
        previous = tokens.dropLast().last ?? -1
    }

    func append(_ token: TokenID) { (previous, last) = (last, token) }

    func findEndings(_ matches: inout MatchList) {
        offer(last, previous, to: &matches)
        offer(last, -1, to: &matches)
    }

    func extend(_ range: Range<Int>, by token: TokenID, _ matches: inout MatchList) {
        // All matches end with the previous token, so any of them gives it.
        if let match = range.last.map({ matches[$0] }) { offer(token, contexts[match.place].last, to: &matches) }
        offer(token, -1, to: &matches)
    }

    func addContinuations(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to continuations: inout ContinuationList
    ) {
        for number in range {
            continuations.begin(level: number - range.lowerBound)
            let first = matches[number].place * Self.width
            for place in first..<first + min(limit, Self.width) where preferences[place].share > 0 {
                continuations.append(preferences[place].token, count: Int(preferences[place].share))
            }
        }
    }

    private func offer(_ last: TokenID, _ previous: TokenID, to matches: inout MatchList) {
        let slot = slot(last, previous)
        guard last >= 0, contexts[slot] == Context(last: last, previous: previous) else { return }
        let length = previous < 0 ? 1 : 2
        matches.offer(Match(length: length, shortest: length, occurrences: 1000, place: slot))
    }

    private func slot(_ last: TokenID, _ previous: TokenID) -> Int {
        Int(truncatingIfNeeded: TokenHash.extend(TokenHash.begin(last), previous) % UInt64(capacity))
    }
}
