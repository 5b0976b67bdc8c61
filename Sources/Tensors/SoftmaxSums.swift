// What the softmax of a row of logits adds up to.

/// Sums of the numerators exp(scale · (logit − largest)) of a row's softmax, as a device adds them up: in an order of its own, so
/// that they are near those of the host, but not equal.
package struct SoftmaxSums: Sendable, Hashable {
    /// The sum over all tokens.
    package let total: Float
    /// For each of the row's likeliest tokens, the likeliest first, the sum over the tokens with lower ids.
    package let before: [Float]
    /// How far a sum, or what the host adds up instead, can be off, as a part of ``total``.
    package let error: Double

    /// The sums of a row of `tokenCount` logits.
    package init(total: Float, before: [Float], tokenCount: Int) {
        self.total = total
        self.before = before
        error = Self.error(tokenCount: tokenCount)
    }

    /// A sum of n numbers ≥ 0 is off by less than n · 2⁻²⁴ of itself, and no sum has more numbers than a block, a lane's blocks and
    /// the lanes together; numerators by some 2⁻²², of either side. Twice that is certain.
    private static func error(tokenCount: Int) -> Double {
        let blocks = (tokenCount + LikeliestTokens.blockLength - 1) / LikeliestTokens.blockLength
        return 2 * Double(LikeliestTokens.blockLength + blocks / lanes + 1 + 16 + 8) * 0x1p-24
    }

    /// Lanes that share a row's blocks, at least.
    private static let lanes = 128
}
