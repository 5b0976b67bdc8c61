// Options that say how much a session remembers, and how.

import ArgumentParser
import SwiftInfer

/// Length of the context and type of its cache.
struct ContextOptions: ParsableArguments {
    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp(
            "Most tokens of prompt and answer together (default: what the model was trained for, at most 4096).",
            valueName: "n"))
    var context: Int?

    @Option(help: "How keys and values are stored.")
    var kvType = KVCacheType.f16

    func validate() throws {
        if let context, context < 1 { throw ValidationError("--context is \(context), but must be at least 1.") }
    }

    /// The library's options, without a drafter.
    var options: Session.Options { Session.Options(contextLength: context, cacheType: kvType, drafter: .none) }
}
