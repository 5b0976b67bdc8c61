// Several sequences that take the same steps, each alone or all of them together.

import InferSupport
package import InferTensors
package import InferTransformer

/// What sequences of a model go through: prompts in chunks, single tokens, and draft trees of which a path is kept or none. It
/// depends on the seed and the sequence's number alone.
package struct SharedSteps {
    private let sequences: Int
    private let rounds: Int
    private let seed: UInt64

    /// `rounds` steps of each of `sequences` sequences.
    package init(sequences: Int, rounds: Int = 5, seed: UInt64) {
        (self.sequences, self.rounds, self.seed) = (sequences, rounds, seed)
    }

    /// What one sequence does in a step.
    private struct Round {
        var tokens: [Int32] = []
        var parents: [Int32]?
        var outputs: [Int] = []
        /// The rows of a tree that are kept, and how many of the first ones are in any case.
        var path: [Int] = []
        var certainRows: Int?
        var topTokens = 0
    }

    private func rounds(of sequence: Int, vocabulary: Int) -> [Round] {
        var generator = SeededGenerator(seed &* 1000 &+ UInt64(sequence))
        func token() -> Int32 { Int32.random(in: 0..<Int32(vocabulary), using: &generator) }
        return (0..<rounds).map { round in
            var step = Round()
            let kind = round == 0 ? 0 : Int.random(in: 0..<3, using: &generator)
            let count = kind == 1 ? 1 : Int.random(in: 2...(kind == 0 ? 19 : 12), using: &generator)
            step.tokens = (0..<count).map { _ in token() }
            step.topTokens = Int.random(in: 0...9, using: &generator)
            step.outputs = (0..<count).filter { _ in Int.random(in: 0..<3, using: &generator) > 0 }
            guard kind == 2 else { return step }
            // The first row is certain in some trees: all others are behind it then.
            let certain = Int.random(in: 0..<2, using: &generator)
            let parents = (0..<count).map { row in
                row == 0 ? -1 : Int32.random(in: Int32(certain) - 1..<Int32(row), using: &generator)
            }
            step.parents = parents
            step.certainRows = certain
            var node = Int.random(in: certain - 1..<count, using: &generator)
            while node >= 0 {
                step.path.insert(node, at: 0)
                node = Int(step.parents?[node] ?? -1)
            }
            return step
        }
    }

    /// The bits of all logits, and the top tokens, of each sequence and step.
    package func run(_ model: TransformerModel, together: Bool, _ type: KVCacheType = .f16) throws -> [[[UInt32]]] {
        let vocabulary = model.configuration.vocabularySize
        let states = try (0..<sequences).map { _ in try model.makeSequence(capacity: 128, cacheType: type) }
        let plans = (0..<sequences).map { rounds(of: $0, vocabulary: vocabulary) }
        var results: [[[UInt32]]] = Array(repeating: [], count: sequences)
        for round in 0..<rounds {
            let segments = states.indices.map { index in
                let step = plans[index][round]
                return Segment(
                    states[index], step.tokens, parents: step.parents, outputs: step.outputs,
                    request: LogitsRequest(topTokens: step.topTokens), certainRows: step.certainRows)
            }
            let outputs = try together ? model.evaluate(segments) : segments.map { try model.evaluate($0) }
            for (index, output) in outputs.enumerated() {
                results[index] += output.bits
                results[index] += output.topTokens.map { row in
                    row.flatMap { [UInt32(bitPattern: $0.token), $0.logit.bitPattern] }
                }
                if plans[index][round].parents != nil { try states[index].keep(rows: plans[index][round].path) }
            }
        }
        return results
    }
}
