// The MODEL argument.

import ArgumentParser
import InferCatalogue
import InferGGUF
import InferSupport
import InferTokenizers

/// The model that a command works on.
struct ModelArgument: ParsableArguments {
    @Argument(
        help: ArgumentHelp("Path of a .gguf file, or the name of a model.", valueName: "model"), completion: .model)
    var model: String

    /// The path of the model's file.
    func path() throws(InferenceError) -> String { try Catalogue.path(of: model) }

    /// The model's tokenizer. Its warnings go to standard error.
    func tokenizer() throws(InferenceError) -> Tokenizer {
        let tokenizer = try Tokenizer(metadata: GGUFFile(path: path()).metadata)
        Output.warn(tokenizer.warnings)
        return tokenizer
    }
}
