// Suffix decoding against its rule carried out by counting every sequence by hand.

import InferDecoding
import TestSupport
import Testing

@Suite struct SuffixDecodingTests {
    /// How often `sequence` occurs in `texts`.
    private func count(_ sequence: [Int32], in texts: [[Int32]]) -> Int {
        texts.reduce(0) { sum, text in
            guard text.count >= sequence.count else { return sum }
            return sum
                + (0...text.count - sequence.count).count { text[$0..<$0 + sequence.count].elementsEqual(sequence) }
        }
    }

    /// The probabilities of the most probable `size` continuations of `match`, most probable first, and how probable
    /// each continuation is.
    private func largestProbabilities(
        _ size: Int, after match: [Int32], in texts: [[Int32]], depth: Int
    ) -> [Float] {
        let total = Float(count(match, in: texts))
        var probabilities: [Float] = []
        var layer: [[Int32]] = [[]]
        while !layer.isEmpty, match.count + layer[0].count < depth {
            layer = layer.flatMap { path in (0..<Int32(6)).map { path + [$0] } }
                .filter { Float(count(match + $0, in: texts)) / total >= 0.1 }
            probabilities += layer.map { Float(count(match + $0, in: texts)) / total }
        }
        return Array(probabilities.sorted(by: >).prefix(size))
    }

    /// The highest sum of probabilities over all lengths of a match, in the text itself or in earlier answers.
    private func bestScore(_ text: [Int32], _ history: [[Int32]], depth: Int) -> Float {
        var best: Float = 0
        for texts in [[text], history] {
            for length in 1..<depth where length <= text.count {
                let match = Array(text.suffix(length))
                guard count(match, in: texts) > 0 else { break }
                best = max(best, largestProbabilities(length, after: match, in: texts, depth: depth).reduce(0, +))
            }
        }
        return best
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func scoreIsThatOfTheRule(seed: UInt64) {
        var generator = SeededGenerator(seed)
        let depth = 7
        let drafter = SuffixDecodingDrafter(depth: depth)
        var history: [[Int32]] = []
        for _ in 0..<3 {
            var text = generator.text(20, alphabet: 6)
            drafter.reset(to: text)
            let answer = generator.text(40, alphabet: 6)
            for token in answer {
                let score = drafter.draft().values.reduce(0, +)
                #expect(abs(score - bestScore(text, history, depth: depth)) < 1e-4)
                drafter.follow([token])
                text.append(token)
            }
            history.append(answer)
        }
    }

    @Test func valuesAreQuotientsOfCounts() {
        let drafter = SuffixDecodingDrafter()
        // After 7 8 comes 1 twice and 2 once; the present 7 8 is the fourth occurrence.
        drafter.reset(to: [7, 8, 1, 7, 8, 2, 7, 8, 1, 9, 7, 8])
        let tree = drafter.draft()
        #expect(tree.values[0] == 0.5)
        #expect(tree.tokens[0] == 1)
        #expect(tree.count == 2)
    }

    @Test func chainFollowsTheMostFrequent() {
        let drafter = SuffixDecodingDrafter(shape: .chain)
        let period: [Int32] = [3, 1, 4, 1, 5]
        drafter.reset(to: period + period + period + period)
        let paths = drafter.draft().paths
        #expect(paths.count == 1)
        #expect(paths[0].prefix(5) == period[...])
    }

    @Test func answersAreRememberedPromptsAreNot() {
        let drafter = SuffixDecodingDrafter()
        drafter.reset(to: [1, 2, 3])
        drafter.follow([10, 11, 12, 13])
        drafter.reset(to: [50, 10, 11])
        #expect(drafter.draft().paths == [[12, 13]])
        drafter.reset(to: [60, 1, 2])
        #expect(drafter.draft().isEmpty)
    }

    @Test func historyIsBounded() {
        let drafter = SuffixDecodingDrafter(maximumHistory: 20)
        for start in stride(from: Int32(0), to: 100, by: 10) {
            drafter.reset(to: [999])
            drafter.follow(Array(start..<start + 10))
        }
        drafter.reset(to: [3, 4])
        #expect(drafter.draft().isEmpty)
        drafter.reset(to: [93, 94])
        #expect(drafter.draft().paths == [[95, 96]])
    }

    @Test func limitHolds() {
        let drafter = SuffixDecodingDrafter(factor: 8)
        drafter.reset(to: Array(repeating: 5, count: 50))
        #expect(drafter.draft(limit: 3).count == 3)
        #expect(drafter.draft(limit: 0).isEmpty)
    }
}
