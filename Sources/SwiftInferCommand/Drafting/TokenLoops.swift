// Repetition loops: text in which a model goes round in circles.

/// Tells which tokens of an answer only repeat the ones just before.
enum TokenLoops {
    private static let longestPeriod = 64
    private static let leastRounds = 3
    private static let leastTokens = 24

    /// For each token whether it belongs to a later round of a loop: a sequence of up to 64 tokens, three times or more
    /// in a row, 24 tokens or more in all.
    static func mark(_ tokens: [Int32]) -> [Bool] {
        var isInLoop = [Bool](repeating: false, count: tokens.count)
        for period in 1..<max(1, min(longestPeriod, tokens.count / leastRounds) + 1) {
            let least = max(leastRounds * period, leastTokens) - period
            var repeated = 0
            for index in period..<tokens.count {
                repeated = tokens[index] == tokens[index - period] ? repeated + 1 : 0
                if repeated == least {
                    for earlier in index - least + 1..<index { isInLoop[earlier] = true }
                }
                if repeated >= least { isInLoop[index] = true }
            }
        }
        return isInLoop
    }
}
