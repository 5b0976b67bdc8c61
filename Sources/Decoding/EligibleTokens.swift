// The tokens that may be drawn, and the filters that remove tokens from them.

import InferSupport
import InferTensors

/// Tokens of a logits row, in ascending order of their ids, that sampling has not ruled out yet.
struct EligibleTokens {
    private(set) var tokens: [TopToken]
    /// The largest logit.
    private let largest: Float

    /// The `topK` most likely tokens of `logits`, or all when it is 0, without NaN and −∞. nil when there is none.
    init?(_ logits: UnsafeBufferPointer<Float>, topK: Int) {
        largest = logits.largest
        guard largest > -.infinity else { return nil }
        tokens = topK > 0 && topK < logits.count ? Self.top(topK, of: logits) : Self.all(of: logits)
        dropHopeless()
    }

    /// Known top tokens, largest logit first. nil when there is none.
    init?(_ topTokens: some Collection<TopToken>) {
        guard let first = topTokens.first else { return nil }
        largest = first.logit
        tokens = Array(topTokens)
        tokens.sortByToken()
        dropHopeless()
    }

    /// Beside an infinite logit, finite ones have a probability of 0.
    private mutating func dropHopeless() {
        if largest == .infinity { tokens.removeAll { $0.logit < .infinity } }
    }

    private static func all(of logits: UnsafeBufferPointer<Float>) -> [TopToken] {
        var tokens: [TopToken] = []
        tokens.reserveCapacity(logits.count)
        for (token, logit) in logits.enumerated() where logit > -.infinity {
            tokens.append(TopToken(token: Int32(truncatingIfNeeded: token), logit: logit))
        }
        return tokens
    }

    /// Collects the tokens above the k-th largest logit so far, and cuts back to k whenever there are 2k.
    static func top(_ k: Int, of logits: UnsafeBufferPointer<Float>) -> [TopToken] {
        var tokens: [TopToken] = []
        // Cutting back early raises the bar, so that nearly all blocks fall below it.
        let limit = max(16, k.multipliedReportingOverflow(by: 2).overflow ? .max : 2 * k)
        var bar = -Float.infinity
        for start in stride(from: 0, to: logits.count, by: blockLength) {
            let end = min(start + blockLength, logits.count)
            guard hasAny(logits[start..<end], above: bar) else { continue }
            for token in start..<end where logits[token] > bar {
                tokens.append(TopToken(token: Int32(truncatingIfNeeded: token), logit: logits[token]))
                if tokens.count == limit {
                    tokens.keepLargest(k)
                    // A later token of the same logit has a higher id and would lose the tie.
                    bar = tokens[k - 1].logit
                }
            }
        }
        tokens.keepLargest(k)
        tokens.sortByToken()
        return tokens
    }

    /// The number of logits that are compared with the bar at once. Nearly all blocks of a vocabulary lie below it.
    private static let blockLength = 64

    /// Whether a logit of a block is above `bar`.
    private static func hasAny(_ block: Slice<UnsafeBufferPointer<Float>>, above bar: Float) -> Bool {
        guard block.count == blockLength, let address = UnsafeBufferPointer(rebasing: block).baseAddress else {
            return true
        }
        let bytes = UnsafeRawPointer(address)
        let vectors = MemoryLayout<SIMD16<Float>>.size
        var isAbove = SIMDMask<SIMD16<Int32>>(repeating: false)
        for offset in stride(from: 0, to: blockLength * MemoryLayout<Float>.size, by: vectors) {
            isAbove .|= bytes.loadUnaligned(fromByteOffset: offset, as: SIMD16<Float>.self) .> bar
        }
        return isAbove != SIMDMask(repeating: false)
    }

    /// Keeps the fewest most likely tokens whose probabilities among all of these reach `topP`.
    mutating func keepNucleus(_ topP: Float) {
        let weights = weights(scale: 1)
        let target = Double(topP) * weights.sum
        // All tokens less likely than this have together at most the 1 − topP that is left out. So the nucleus lies among the
        // other tokens, which are few in any vocabulary.
        let negligible = Float((1 - Double(topP)) * weights.sum / Double(tokens.count))
        var likely = tokens.indices.filter { weights[$0] >= negligible }
        likely.sort { tokens[$0] > tokens[$1] }
        var sum = 0.0
        var size = 0
        while size < likely.count, sum < target {
            sum += Double(weights[likely[size]])
            size += 1
        }
        tokens = likely.prefix(size).sorted().map { tokens[$0] }
    }

    /// The same if these tokens are only the top tokens of a row, whose weights add up to nearly `sums.total`.
    ///
    /// - Returns: Whether the sums are exact enough to decide. If not, nothing changes.
    mutating func keepNucleus(_ topP: Float, of sums: SoftmaxSums) -> Bool {
        let total = Double(sums.total), slack = sums.error * total
        let target = Double(topP) * (total - slack)...Double(topP) * (total + slack)
        let weights = weights(scale: 1)
        var sum = 0.0
        var kept: Set<Int32> = []
        for place in tokens.indices.sorted(by: { tokens[$0] > tokens[$1] }) {
            sum += Double(weights[place])
            kept.insert(tokens[place].token)
            if target.contains(sum) { return false }
            guard sum > target.upperBound else { continue }
            tokens.removeAll { !kept.contains($0.token) }
            return true
        }
        return false
    }

    /// Keeps the tokens at least `minP` times as likely as the most likely one.
    mutating func keepLikely(_ minP: Float) {
        let bar = Double(largest) + logarithm(Double(minP))
        tokens.removeAll { $0.logit < largest && Double($0.logit) < bar }
    }

    /// The token at which the cumulative probabilities of logits multiplied by `scale`, ids ascending, pass `uniform` of 0..<1.
    func draw(scale: Float, uniform: Double) -> Int32? {
        let weights = weights(scale: scale)
        let target = uniform * weights.sum
        var sum = 0.0
        for (token, weight) in zip(tokens, weights) {
            sum += Double(weight)
            if sum > target { return token.token }
        }
        return tokens.max()?.token
    }

    /// The tokens' probabilities up to a common factor, with the logits multiplied by `scale`. The largest is 1.
    private func weights(scale: Float) -> [Float] {
        guard largest < .infinity else { return [Float](repeating: 1, count: tokens.count) }
        return tokens.map { $0.weight(beside: largest, scale: scale) }
    }
}

extension TopToken {
    /// Its probability over that of a token whose logit is `largest`, when logits are multiplied by `scale`.
    func weight(beside largest: Float, scale: Float) -> Float {
        ((logit - largest) * scale).exponentialOfNonPositive
    }
}

extension [Float] {
    /// The sum, added up in the elements' order.
    fileprivate var sum: Double { reduce(0) { $0 + Double($1) } }
}

extension [TopToken] {
    fileprivate mutating func keepLargest(_ k: Int) {
        sort(by: >)
        if count > k { removeLast(count - k) }
    }

    fileprivate mutating func sortByToken() { sort { $0.token < $1.token } }
}
