// `swiftinfer tokenize`: text to token ids.

import ArgumentParser
import SwiftInfer

struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Print the token ids of a text.",
        discussion: "The text is the argument, the file given with -f, or standard input when that is not a terminal."
    )

    @OptionGroup var model: ModelArgument

    @Argument(help: "The text.")
    var text: String?

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Read the text from a file; - is standard input.", valueName: "path"))
    var file: String?

    @Flag(help: "Do not add the tokens the model wants at the beginning and end of a text.")
    var noBos = false

    @Flag(help: "Read special tokens such as <|im_end|> in the text as what they are, not as text.")
    var special = false

    @Flag(help: #"Print one JSON object {"tokens":[…]}."#)
    var json = false

    func run() throws {
        guard let text = try InputText.given(argument: text, file: file) else {
            throw ValidationError("No text: give it as an argument, with -f, or on standard input.")
        }
        let tokenizer = try model.tokenizer()
        let tokens = tokenizer.encode(text, addSpecial: !noBos, parseSpecial: special)
        if json {
            try Output.json(["tokens": tokens])
        } else {
            Output.standardOutput(table(tokens, tokenizer))
        }
    }

    /// One token a line: its id and the text it stands for, quoted.
    private func table(_ tokens: [TokenID], _ tokenizer: Tokenizer) -> String {
        tokens.map { Format.right(String($0), 7) + "  " + TokenText.quoted($0, tokenizer) + "\n" }.joined()
    }
}
