// Running models in tests, and comparing what comes out.

import Foundation

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
