// Options that say how tokens are guessed ahead.

import ArgumentParser
import SwiftInfer

/// The drafter of a session.
struct DrafterOptions: ParsableArguments {
    @Option(help: "What guesses tokens ahead; it changes the speed and never the text.")
    var drafter = DrafterChoice.none
}
