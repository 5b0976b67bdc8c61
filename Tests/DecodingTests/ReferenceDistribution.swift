// The sampling chain written down as plainly as possible, to compare with.

import Foundation
import InferDecoding

/// The probability of each token under `options`, by sorting everything at every step.
func referenceDistribution(_ logits: [Float], _ options: SamplingOptions, history: [Int32] = []) -> [Int32: Double] {
    var logits = logits.map(Double.init)
    for (token, bias) in options.logitBias where logits.indices.contains(Int(token)) {
        logits[Int(token)] += Double(bias)
    }
    for token in Set(history.suffix(options.penaltyWindow)) where logits.indices.contains(Int(token)) {
        let count = Double(history.suffix(options.penaltyWindow).count { $0 == token })
        let penalty = Double(options.repeatPenalty)
        let logit = logits[Int(token)]
        logits[Int(token)] = logit <= 0 ? logit * penalty : logit / penalty
        logits[Int(token)] -= count * Double(options.frequencyPenalty) + Double(options.presencePenalty)
    }
    var tokens = logits.indices.filter { logits[$0] > -.infinity }
        .sorted { (logits[$1], $0) < (logits[$0], $1) }
    func probabilities(_ temperature: Double) -> [Double] {
        let weights = tokens.map { exp((logits[$0] - logits[tokens[0]]) / temperature) }
        return weights.map { $0 / weights.reduce(0, +) }
    }
    if options.topK > 0 { tokens = Array(tokens.prefix(options.topK)) }
    if options.topP < 1 {
        var sum = 0.0
        let sums = probabilities(1).map { (sum += $0, sum).1 }
        let size = 1 + (sums.firstIndex { $0 >= Double(options.topP) } ?? sums.count - 1)
        tokens = Array(tokens.prefix(size))
    }
    if options.minP > 0 {
        let all = probabilities(1)
        tokens = zip(tokens, all).filter { $0.1 >= Double(options.minP) * all[0] }.map(\.0)
    }
    let final = probabilities(Double(options.temperature))
    return Dictionary(uniqueKeysWithValues: zip(tokens.map { Int32($0) }, final))
}
