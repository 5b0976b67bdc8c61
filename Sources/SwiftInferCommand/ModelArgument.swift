// The MODEL argument.

import ArgumentParser
import InferGGUF
import InferSupport
import InferTokenizers

/// The model a command works on.
struct ModelArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("Path of a .gguf file, or a catalogue name.", valueName: "model"))
    var model: String

    /// The file it stands for.
    func path() throws(InferenceError) -> String { try Catalogue.resolve(model) }

    /// Its tokenizer alone, with a line on standard error where something about it is doubtful.
    func tokenizer() throws(InferenceError) -> Tokenizer {
        let tokenizer = try Tokenizer(metadata: GGUFFile(path: path()).metadata)
        Output.warn(tokenizer.warnings)
        return tokenizer
    }
}
