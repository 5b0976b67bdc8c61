// Options that say how tokens are guessed ahead.

import ArgumentParser
import SwiftInfer

/// The drafter of a session.
struct DrafterOptions: ParsableArguments {
    @Option(help: "What guesses tokens ahead; it changes the speed and never the text.")
    var drafter = DrafterChoice.codeSwift()

    @OptionGroup var sources: CodeSwiftArguments

    func validate() throws {
        if sources.namesSources, drafter.description != DrafterChoice.codeSwift().description {
            throw ValidationError("--repository and --datastore go with --drafter codeswift.")
        }
    }

    /// The drafter with its sources.
    var choice: DrafterChoice { sources.applied(to: drafter) }
}
