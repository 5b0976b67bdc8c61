// The --model option of commands that need no more of a model than its tokenizer.

import ArgumentParser
import InferCodeSwift
import InferGGUF
import InferSupport
import SwiftInfer

/// The model whose tokens a datastore holds.
struct TokenizerOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The model whose tokenizer to use: path of a .gguf file, or a catalogue name.", valueName: "model"))
    var model: String

    /// Its tokenizer, and what a datastore remembers of it.
    func load() throws(InferenceError) -> (tokenizer: Tokenizer, identity: TokenizerIdentity) {
        let metadata = try GGUFFile(path: Catalogue.resolve(model)).metadata
        let tokenizer = try Tokenizer(metadata: metadata)
        Output.warn(tokenizer.warnings)
        return (tokenizer, try TokenizerIdentity(tokenizer, metadata: metadata))
    }
}
