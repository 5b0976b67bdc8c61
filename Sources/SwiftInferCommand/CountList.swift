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

/// Counts of which 0 stands for nothing at all, as in `--generate 0`.
struct OptionalCountList: ExpressibleByArgument {
    let counts: [Int]

    /// The list `counts`.
    init(_ counts: [Int]) { self.counts = counts }

    /// Accepts what ``CountList`` accepts, and 0; nil when one is something else.
    init?(argument: String) {
        let parts = argument.split(separator: ",").filter { Int($0) != 0 }
        guard let list = CountList(argument: parts.joined(separator: ",")) else { return nil }
        counts = list.counts
    }

    var defaultValueDescription: String { CountList(counts).defaultValueDescription }
}
