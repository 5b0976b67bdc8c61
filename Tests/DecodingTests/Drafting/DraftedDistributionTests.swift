// Text sampled with drafts follows the model's distribution, as text sampled without them does.

import InferDecoding
import Testing

/// A source of logits that depend on the last token alone, so that transitions can be counted against their probabilities.
private struct MarkovSource {
    static let size = 10
    let rows: [[Float]]

    init() {
        var state: UInt32 = 99
        rows = (0..<Self.size).map { _ in
            (0..<Self.size).map { _ in
                state = state &* 1_664_525 &+ 1_013_904_223
                return Float(state >> 16) / 65536 * 4
            }
        }
    }

    func logits(after token: Int32) -> [Float] { rows[Int(token)] }
}

/// The rule that draws the tokens of a step from a draft's rows.
private enum Method {
    /// The engine's rule: one draw per accepted row, and a node is accepted if its token equals the draw.
    case engine
    /// A wrong rule, which the test must detect: nodes among the two top tokens are accepted.
    case typical
}

@Suite struct DraftedDistributionTests {
    private static let draws = 1_000_000
    private let source = MarkovSource()
    private let options = DistributionTests.options {
        $0.temperature = 0.9; $0.topK = 7
    }

    /// Random nodes, most of them likely, in trees of several shapes.
    private func makeDraft(after token: Int32, _ state: inout UInt32) -> DraftTree {
        var tree = DraftTree()
        for _ in 0..<6 {
            state = state &* 1_664_525 &+ 1_013_904_223
            let parent = Int(state >> 8) % (tree.count + 1) - 1
            let before = parent < 0 ? token : tree.tokens[parent]
            let ranked = source.logits(after: before).enumerated().sorted { $0.element > $1.element }
            tree.insert(Int32(ranked[Int(state >> 16) % 4].offset), after: parent, value: 0.5)
        }
        return tree
    }

    /// How often each token followed each other one.
    private func transitions(_ method: Method, drafts: Bool) -> [[Int]] {
        let sampler = Sampler(options)
        var counts = Array(repeating: Array(repeating: 0, count: MarkovSource.size), count: MarkovSource.size)
        var state: UInt32 = 5
        var last: Int32 = 0
        var position = 0
        while position < Self.draws {
            let tree = drafts ? makeDraft(after: last, &state) : DraftTree()
            // The logits of all rows, as one step of a model gives them.
            let rows = ([last] + tree.tokens).map { source.logits(after: $0) }
            var row: Int? = 0
            while let current = row {
                let drawn = rows[current].withUnsafeBufferPointer {
                    sampler.sample($0, position: position, history: [])
                }
                guard var token = drawn else { break }
                if case .typical = method, let child = tree.children(of: current - 1).first {
                    let largest = rows[current].sorted(by: >)
                    let drafted = tree.tokens[child]
                    if rows[current][Int(drafted)] >= largest[1] { token = drafted }
                }
                counts[Int(last)][Int(token)] += 1
                last = token
                position += 1
                row = tree.child(token, of: current - 1).map { $0 + 1 }
            }
        }
        return counts
    }

    /// Pearson's statistic over all rows, and the degrees of freedom.
    private func chiSquare(_ counts: [[Int]]) -> (value: Double, freedom: Int) {
        var value = 0.0
        var freedom = 0
        for (token, row) in counts.enumerated() {
            let expected = referenceDistribution(source.logits(after: Int32(token)), options, history: [])
            let total = Double(row.reduce(0, +))
            freedom += expected.count - 1
            for (next, count) in row.enumerated() {
                guard let probability = expected[Int32(next)] else {
                    // What the options exclude must not come up at all.
                    value += count == 0 ? 0 : .infinity
                    continue
                }
                let mean = probability * total
                value += (Double(count) - mean) * (Double(count) - mean) / mean
            }
        }
        return (value, freedom)
    }

    /// The 99.9 % quantile, by Wilson and Hilferty (1931).
    private func limit(_ freedom: Int) -> Double {
        let f = 2 / (9 * Double(freedom))
        let root = 1 - f + 3.0902 * f.squareRoot()
        return Double(freedom) * root * root * root
    }

    @Test(arguments: [false, true]) func transitionsFollowTheModel(drafts: Bool) {
        let counts = transitions(.engine, drafts: drafts)
        #expect(counts.joined().reduce(0, +) >= Self.draws)
        let (value, freedom) = chiSquare(counts)
        #expect(value < limit(freedom), "\(value) with \(freedom) degrees of freedom")
    }

    @Test func acceptingWhatIsMerelyLikelyWouldBeNoticed() {
        let (value, freedom) = chiSquare(transitions(.typical, drafts: true))
        #expect(value > limit(freedom))
    }
}
