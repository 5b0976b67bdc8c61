// Comma-separated lists on the command line: counts such as `4,8,16`, and types such as `q4_0,q4_k`.

import ArgumentParser
import InferGGUF
import InferTensors

/// A comma-separated list of positive counts; empty for none.
struct CountList: ExpressibleByArgument {
    let counts: [Int]

    /// The list `counts`.
    init(_ counts: [Int]) { self.counts = counts }

    /// Parses decimal counts from 1 to a million; nil for anything else.
    init?(argument: String) {
        let parts = argument.split(separator: ",")
        counts = parts.compactMap { Int($0) }.filter { (1...1_000_000).contains($0) }
        guard counts.count == parts.count else { return nil }
    }

    var defaultValueDescription: String { counts.map(String.init).joined(separator: ",") }
}

/// A list of counts in which 0 stands for none, as in `--generate 0`.
struct OptionalCountList: ExpressibleByArgument {
    let counts: [Int]

    /// The list `counts`.
    init(_ counts: [Int]) { self.counts = counts }

    /// Parses like ``CountList``, and leaves out 0; nil for anything else.
    init?(argument: String) {
        let parts = argument.split(separator: ",").filter { Int($0) != 0 }
        guard let list = CountList(argument: parts.joined(separator: ",")) else { return nil }
        counts = list.counts
    }

    var defaultValueDescription: String { CountList(counts).defaultValueDescription }
}

/// A comma-separated list of supported tensor types, in any case.
struct TensorTypeList: ExpressibleByArgument {
    let types: [TensorType]

    /// Parses names; nil if one is not a supported type or the list is empty.
    init?(argument: String) {
        let names = argument.split(separator: ",")
        types = names.compactMap { TensorFormat(named: String($0))?.type }
        guard types.count == names.count, !types.isEmpty else { return nil }
    }
}
