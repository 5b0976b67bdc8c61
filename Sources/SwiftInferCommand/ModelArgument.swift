// The MODEL argument.

import ArgumentParser
import GGUF

/// The model a command works on.
struct ModelArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("Path of a .gguf file, or a catalogue name.", valueName: "model"))
    var model: String

    /// The file it stands for.
    func path() throws(InferenceError) -> String { try Catalogue.resolve(model) }
}
