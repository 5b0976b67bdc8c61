// Counts on the command line: `4,8,16`.

import ArgumentParser

/// A comma-separated list of positive counts; empty for none.
struct CountList: ExpressibleByArgument {
    let counts: [Int]

    /// The list `counts`.
    init(_ counts: [Int]) { self.counts = counts }

    /// Accepts decimal counts from 1 to a million; nil when one is something else.
    init?(argument: String) {
        let parts = argument.split(separator: ",")
        counts = parts.compactMap { Int($0) }.filter { (1...1_000_000).contains($0) }
        guard counts.count == parts.count else { return nil }
    }

    var defaultValueDescription: String { counts.map(String.init).joined(separator: ",") }
}
