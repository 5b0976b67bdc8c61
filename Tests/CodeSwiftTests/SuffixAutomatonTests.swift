// The suffix automaton, compared with counting substrings.

import InferCodeSwift
import TestSupport
import Testing

struct SuffixAutomatonTests {
    /// Every substring with its number of occurrences and its last end position.
    private func substrings(_ text: [Int32]) -> [[Int32]: (count: Int, lastEnd: Int)] {
        var result: [[Int32]: (count: Int, lastEnd: Int)] = [:]
        for start in text.indices {
            for end in start..<text.count {
                let (count, _) = result[Array(text[start...end])] ?? (0, 0)
                result[Array(text[start...end])] = (count + 1, max(end, result[Array(text[start...end])]?.lastEnd ?? 0))
            }
        }
        return result
    }

    private func state(_ automaton: SuffixAutomaton, _ string: [Int32]) -> SuffixAutomaton.State? {
        var state = SuffixAutomaton.start
        for token in string {
            guard let next = automaton.next(state, token) else { return nil }
            state = next
        }
        return state
    }

    @Test func countsAndPlacesOfAllSubstrings() {
        var generator = SeededGenerator(30)
        // One for all texts: nothing of an earlier text may be left.
        var automaton = SuffixAutomaton()
        for trial in 0..<150 {
            let text = RandomText.make(trial, limit: 40, alphabet: 3, &generator)
            automaton.removeAll()
            for token in text { automaton.append(token) }
            let expected = substrings(text)
            for (string, occurrences) in expected {
                guard let state = state(automaton, string) else {
                    Issue.record("\(string) not found in \(text)")
                    return
                }
                #expect(automaton.occurrences(state) == occurrences.count, "\(string) in \(text)")
                #expect(automaton.lastEnd(state) == occurrences.lastEnd)
                var continuations: [Int32: Int] = [:]
                automaton.forEachContinuation(of: state) { continuations[$0] = automaton.occurrences($1) }
                let longer = expected.filter { $0.key.count == string.count + 1 && $0.key.starts(with: string) }
                #expect(
                    continuations == Dictionary(uniqueKeysWithValues: longer.map { ($0.key.last ?? 0, $0.value.count) })
                )
            }
            #expect(state(automaton, [0, 1, 2, 0, 1, 1, 1, 7]) == nil)
        }
    }

    @Test func theRepeatedEndingIsTheLongest() {
        var generator = SeededGenerator(31)
        for trial in 0..<200 {
            let text = RandomText.make(trial, limit: 60, alphabet: 3, &generator)
            var automaton = SuffixAutomaton()
            for (index, token) in text.enumerated() {
                automaton.append(token)
                let prefix = Array(text[...index])
                let longest = (0...index).last { length in
                    Sample.occurrences(of: prefix.suffix(length), in: [prefix]) > 1 || length == 0
                }
                #expect(automaton.length(automaton.repeatedEnding) == longest)
            }
        }
    }

    /// Whatever the text is; and a text that is replaced by another one takes no more either.
    @Test func reservedMemoryIsEnough() {
        var generator = SeededGenerator(32)
        var unreserved = SuffixAutomaton()
        let least = unreserved.byteCount
        var automaton = SuffixAutomaton()
        automaton.reserve(tokens: 5000)
        let reserved = automaton.byteCount
        for alphabet: Int32 in [1, 2, 3, 40, 100_000] {
            automaton.removeAll()
            for _ in 0..<5000 { automaton.append(.random(in: 0..<alphabet, using: &generator)) }
            #expect(automaton.byteCount == reserved)
        }
        for token: Int32 in 0..<5000 { unreserved.append(token) }
        #expect(unreserved.byteCount > least)
    }

    /// Without a limit on counting, this would take 10¹¹ steps.
    @Test func oneTokenManyTimes() {
        var automaton = SuffixAutomaton()
        for _ in 0..<300_000 { automaton.append(5) }
        #expect(automaton.length(automaton.repeatedEnding) == 299_999)
    }
}
