// The sources that search a suffix automaton: the text itself, and earlier outputs.

import InferTokenizers

/// Predicts from repetitions in the text: the prompt and the output so far.
final class ContextSource: DraftSource {
    let kind = SourceKind.context
    private var automaton = SuffixAutomaton()

    func reset(to tokens: [TokenID], kept: Int) {
        if kept < automaton.count { automaton.removeAll() }
        for token in tokens[automaton.count...] { automaton.append(token) }
    }

    func append(_ token: TokenID) { automaton.append(token) }

    func findEndings(_ matches: inout MatchList) {
        automaton.offerMatches(from: automaton.repeatedEnding, length: nil, endsText: true, to: &matches)
    }

    func extend(_ range: Range<Int>, by token: TokenID, _ matches: inout MatchList) {
        automaton.offerMatches(extending: range, by: token, to: &matches)
    }

    func addContinuations(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to continuations: inout ContinuationList
    ) {
        automaton.addContinuations(of: range, in: matches, limit: limit, to: &continuations)
    }
}

/// Predicts from earlier outputs of the model. The oldest are dropped when there are too many.
///
/// All memory is taken with the first output. It serves many requests, and must not grow in steps under them.
final class HistorySource: DraftSource {
    let kind = SourceKind.history
    /// Marks the end of an output; not a token id.
    private static let separator: TokenID = -1
    /// The default limit: maximum number of tokens that are kept.
    static let standardLimit = 1 << 16
    private let limit: Int
    /// The outputs, with a separator after each.
    private(set) var tokens: [TokenID] = []
    private var automaton = SuffixAutomaton()
    private var state = SuffixAutomaton.start
    private var length = 0

    /// An empty history that keeps at most `limit` tokens.
    init(limit: Int = HistorySource.standardLimit) { self.limit = limit }

    /// Adds an output.
    func insert(_ output: some Collection<TokenID>) {
        guard !output.isEmpty else { return }
        insertAll(Array(output) + [Self.separator])
    }

    private func insertAll(_ more: [TokenID]) {
        tokens.takeCapacity(limit, filler: Self.separator)
        automaton.reserve(tokens: limit)
        let surplus = tokens.count + more.count - limit / 2
        if tokens.count + more.count > limit {
            // Drops half at once, so that the automaton is rarely rebuilt.
            tokens.removeFirst(min(surplus, tokens.count))
            tokens += more.suffix(limit / 2)
            tokens.removeFirst((tokens.firstIndex(of: Self.separator) ?? tokens.count - 1) + 1)
            automaton.removeAll()
            (state, length) = (SuffixAutomaton.start, 0)
        } else {
            tokens += more
        }
        for token in tokens[automaton.count...] { automaton.append(token) }
    }

    /// Puts an earlier history before the current one. `index` is its automaton.
    func prepend(_ earlier: [TokenID], _ index: SuffixAutomaton) {
        let own = tokens
        tokens = earlier
        automaton = index
        insertAll(own)
    }

    func reset(to tokens: [TokenID], kept: Int) {
        state = SuffixAutomaton.start
        length = 0
        for token in tokens.suffix(64) { append(token) }
    }

    func append(_ token: TokenID) {
        while true {
            if let next = automaton.next(state, token) {
                state = next
                length += 1
                return
            }
            guard state != SuffixAutomaton.start else { return }
            state = automaton.shorter(state)
            length = automaton.length(state)
        }
    }

    func findEndings(_ matches: inout MatchList) {
        automaton.offerMatches(from: state, length: length, endsText: false, to: &matches)
    }

    func extend(_ range: Range<Int>, by token: TokenID, _ matches: inout MatchList) {
        automaton.offerMatches(extending: range, by: token, to: &matches)
    }

    func addContinuations(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to continuations: inout ContinuationList
    ) {
        automaton.addContinuations(of: range, in: matches, limit: limit, to: &continuations)
    }
}

extension SuffixAutomaton {
    /// Offers `state` and the shorter classes as matches of the text's endings.
    ///
    /// - Parameters:
    ///   - state: The class of the longest match.
    ///   - length: Length of the match of `state`; nil for the longest substring of the class.
    ///   - endsText: Whether the end of the text is itself one of the occurrences. That one has no continuation.
    func offerMatches(from state: State, length: Int?, endsText: Bool, to matches: inout MatchList) {
        var state = state
        var length = length ?? self.length(state)
        while state != Self.start, !matches.isComplete {
            let occurrences = self.occurrences(state) - (endsText ? 1 : 0)
            let next = shorter(state)
            matches.offer(
                Match(
                    length: length, shortest: self.length(next) + 1, occurrences: max(occurrences, 1),
                    place: Int(state)))
            state = next
            length = self.length(state)
        }
    }

    /// Offers the matches in `range` extended by `token`, and the match of `token` alone.
    func offerMatches(extending range: Range<Int>, by token: TokenID, to matches: inout MatchList) {
        var shortest = 0
        for number in range {
            let match = matches[number]
            guard let state = next(State(truncatingIfNeeded: match.place), token) else { continue }
            shortest = offer(state, length: Int(match.length) + 1, to: &matches)
        }
        if shortest != 1, let state = next(Self.start, token) { _ = offer(state, length: 1, to: &matches) }
    }

    /// Offers the class `state`, where the substring of `length` tokens matched. Returns the length of the shortest
    /// substring of the class.
    private func offer(_ state: State, length: Int, to matches: inout MatchList) -> Int {
        let shortest = self.length(shorter(state)) + 1
        matches.offer(
            Match(length: length, shortest: shortest, occurrences: max(occurrences(state), 1), place: Int(state)))
        return shortest
    }

    /// Adds the continuations of the matches in `range`: most frequent first; among equally frequent ones, most recent
    /// first.
    func addContinuations(
        of range: Range<Int>, in matches: borrowing MatchList, limit: Int, to continuations: inout ContinuationList
    ) {
        for number in range {
            continuations.begin(level: number - range.lowerBound)
            forEachContinuation(of: State(truncatingIfNeeded: matches[number].place)) { token, state in
                guard token >= 0 else { return }
                continuations.insert(token, count: occurrences(state), end: lastEnd(state), limit: limit)
            }
        }
    }
}
