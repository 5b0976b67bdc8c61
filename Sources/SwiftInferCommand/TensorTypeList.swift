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
        types = names.compactMap { name in
            TensorFormat.supportedTypes.first { "\($0)".lowercased() == name.lowercased() }
        }
        guard types.count == names.count, !types.isEmpty else { return nil }
    }
}
