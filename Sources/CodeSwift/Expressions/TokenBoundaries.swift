// Where expressions of code may begin and end.

package import InferTokenizers

/// Which tokens end a line, or open or close a bracket: behind them an expression may begin, and with them it may end.
package struct TokenBoundaries: Sendable {
    private let isBoundary: [Bool]

    /// The boundaries among the tokens of `tokenizer`, by their bytes.
    package init(_ tokenizer: Tokenizer) {
        let marks = Set("\n()[]{}".utf8)
        isBoundary = (0..<TokenID(tokenizer.count)).map { tokenizer.bytes(of: $0).contains { marks.contains($0) } }
    }

    /// The tokens of which `condition` holds, in a vocabulary of `count`.
    package init(count: Int, where condition: (TokenID) -> Bool) {
        isBoundary = (0..<TokenID(count)).map(condition)
    }

    /// Whether `token` is a boundary; what is no token, such as a separator, is one.
    func contains(_ token: TokenID) -> Bool { token < 0 || Int(token) >= isBoundary.count || isBoundary[Int(token)] }
}
