// Types of weights on the command line: `q4_0,q4_k`.

import ArgumentParser
import InferGGUF
import InferTensors

/// A comma-separated list of supported tensor types, in small or large letters.
struct TensorTypeList: ExpressibleByArgument {
    let types: [TensorType]

    /// Nil when a name is none of a supported type, or there is none.
    init?(argument: String) {
        let names = argument.split(separator: ",")
        types = names.compactMap { TensorFormat(named: String($0))?.type }
        guard types.count == names.count, !types.isEmpty else { return nil }
    }
}
