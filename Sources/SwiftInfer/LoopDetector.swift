// Where an answer repeats itself without end.

package import InferTokenizers

/// Finds out that the last tokens are one cycle, repeated ten times.
///
/// For each length of a cycle it counts the tokens since the last one that differs from the token one length before.
package struct LoopDetector {
    /// The longest cycle that is looked for, in tokens.
    package static let longestCycle = 512
    /// The number of repetitions that make a loop.
    package static let repetitions = 10
    /// The least number of tokens of a loop: ten dashes or zeros are none.
    package static let leastTokens = 100

    private var tokens: [TokenID] = []
    /// For each length from 1, the number of tokens that equal those one length before.
    private var runs: [Int] = []

    /// A detector without tokens.
    package init() {}

    /// Takes the next token.
    ///
    /// - Returns: Whether the tokens end in a loop.
    package mutating func append(_ token: TokenID) -> Bool {
        if tokens.count < Self.longestCycle { runs.append(0) }
        var isLoop = false
        for length in 1...max(1, runs.count) where length <= tokens.count {
            guard tokens[tokens.count - length] == token else {
                runs[length - 1] = 0
                continue
            }
            runs[length - 1] += 1
            let count = runs[length - 1] + length
            if count >= max(Self.repetitions * length, Self.leastTokens) { isLoop = true }
        }
        tokens.append(token)
        return isLoop
    }
}
