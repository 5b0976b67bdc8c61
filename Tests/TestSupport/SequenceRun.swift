// One sequence in tests: steps of it, and what came out of the last one.

package import InferSupport
package import InferTensors
package import InferTransformer

/// A sequence of a model and the output of its last step.
package final class SequenceRun {
    package let model: TransformerModel
    package let state: SequenceState
    package private(set) var output: SegmentOutput?

    /// An empty sequence.
    package init(
        _ model: TransformerModel, capacity: Int = 64, cacheType: KVCacheType = .f16
    ) throws(InferenceError) {
        self.model = model
        state = try model.makeSequence(capacity: capacity, cacheType: cacheType)
    }

    /// Tokens that are part of the past.
    package var count: Int { state.count }

    /// Sends `tokens` through the model in one step.
    package func evaluate(
        _ tokens: [Int32], parents: [Int32]? = nil, outputs: [Int] = [], request: LogitsRequest = LogitsRequest(),
        certainRows: Int? = nil
    ) throws(InferenceError) {
        output = nil
        output = try model.evaluate(
            Segment(state, tokens, parents: parents, outputs: outputs, request: request, certainRows: certainRows))
    }

    /// The logits of the last step's outputs.
    package var rows: [[Float]] { output?.rows ?? [] }

    /// Their bits.
    package var bits: [[UInt32]] { output?.bits ?? [] }
}

extension SegmentOutput {
    /// The logits, row by row.
    package var rows: [[Float]] { (0..<count).map { withLogits(row: $0) { Array($0) } } }

    /// Their bits.
    package var bits: [[UInt32]] { rows.map { $0.map(\.bitPattern) } }
}

extension TransformerModel {
    /// The attention of its layers.
    package var attentionPlans: [AttentionPlan] {
        configuration.layers.compactMap(\.attention)
    }

    /// Whether its heads can be stored in blocks of 32.
    package var takesQ8Cache: Bool {
        configuration.layers.compactMap { $0.cacheShape(layers: 1, slots: 1, type: .q8_0) }
            .allSatisfy { (try? $0.requireWholeBlocks()) != nil }
    }

    /// The bits of every row of logits when `tokens` are evaluated one at a time.
    package func oneByOne(_ tokens: [Int32], _ type: KVCacheType = .f16) throws -> [[UInt32]] {
        let run = try SequenceRun(self, cacheType: type)
        return try tokens.map { token in
            try run.evaluate([token], outputs: [0])
            return run.bits[0]
        }
    }
}
