// Running models in tests, and comparing what comes out.

import Foundation
import InferTensors
import InferTransformer

extension ModelContext {
    /// The logits of the last step, row by row.
    var rows: [[Float]] {
        let width = model.configuration.vocabularySize
        return withLogits { logits in
            stride(from: 0, to: logits.count, by: width).map { Array(logits[$0..<$0 + width]) }
        }
    }

    /// Their bits.
    var bits: [[UInt32]] { rows.map { $0.map(\.bitPattern) } }
}

extension TransformerModel {
    /// The bits of every row of logits when `tokens` are evaluated one at a time.
    func oneByOne(_ tokens: [Int32], _ type: KVCacheType = .f16) throws -> [[UInt32]] {
        let context = try makeContext(capacity: 64, cacheType: type)
        return try tokens.map { token in
            try context.evaluate([token], outputs: [0])
            return context.bits[0]
        }
    }
}

/// How far rows of logits are from those wanted: Σ |Δ log p| · p over all tokens, the mean of the rows.
func distance(_ wanted: [[Float]], _ found: [[Float]]) -> Double {
    func logProbabilities(_ row: [Float]) -> [Double] {
        let maximum = Double(row.max() ?? 0)
        let sum = row.reduce(0) { $0 + exp(Double($1) - maximum) }
        return row.map { Double($0) - maximum - log(sum) }
    }
    var total = 0.0
    for (wanted, found) in zip(wanted, found) {
        total += zip(logProbabilities(wanted), logProbabilities(found)).reduce(0) { $0 + abs($1.0 - $1.1) * exp($1.0) }
    }
    return wanted.count == found.count ? total / Double(wanted.count) : .infinity
}
