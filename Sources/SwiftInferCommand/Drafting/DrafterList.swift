// Drafters on the command line: `prompt-lookup,suffix`.

import ArgumentParser
import SwiftInfer

/// A comma-separated list of drafters' names.
struct DrafterList: ExpressibleByArgument {
    let drafters: [DrafterChoice]

    /// The list `drafters`.
    init(_ drafters: [DrafterChoice]) { self.drafters = drafters }

    /// Accepts known names; nil when one is something else.
    init?(argument: String) {
        let parts = argument.split(separator: ",")
        drafters = parts.compactMap { DrafterChoice(argument: String($0)) }
        guard drafters.count == parts.count else { return nil }
    }

    var defaultValueDescription: String { drafters.map(\.description).joined(separator: ",") }
}
