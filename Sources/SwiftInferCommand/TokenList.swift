// Token ids on the command line: `1,2,3`.

import ArgumentParser

/// A comma-separated list of token ids.
struct TokenList: ExpressibleByArgument {
    let tokens: [Int32]

    /// Accepts decimal ids separated by commas or blanks; nil when one is something else.
    init?(argument: String) {
        let parts = argument.split { $0 == "," || $0 == " " }
        let tokens = parts.compactMap { Int32($0) }
        guard tokens.count == parts.count else { return nil }
        self.tokens = tokens
    }
}
