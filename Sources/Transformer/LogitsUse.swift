// What a step's logits are computed for.

import InferTensors

/// What of the logits of a step's outputs is wanted.
package struct LogitsUse: Sendable {
    /// Whether whole rows will be read. They can be anyway, but then a device is waited for once more.
    package let wholeRows: Bool
    /// How many of each row's likeliest tokens are wanted, at most ``LikeliestTokens/largestCount``.
    package let likeliest: Int
    /// What logits are multiplied by in the ``SoftmaxSums`` that are wanted beside the likeliest tokens; nil for none. The host has
    /// none: there, whole rows are at hand.
    package let softmaxScale: Float?
    /// Tokens from this one on do not exist; nil where every logit stands for one.
    package let tokenCount: Int?

    /// By default whole rows and nothing else.
    package init(wholeRows: Bool = true, likeliest: Int = 0, softmaxScale: Float? = nil, tokenCount: Int? = nil) {
        self.wholeRows = wholeRows
        self.likeliest = min(max(likeliest, 0), LikeliestTokens.largestCount)
        self.softmaxScale = softmaxScale
        self.tokenCount = tokenCount
    }
}
