// `swiftinfer tokenize` and `swiftinfer detokenize`: text to token ids and back.

import ArgumentParser
import InferEvaluation
import InferSupport
import SwiftInfer

struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Print the token ids of a text.",
        discussion: "The text is the argument, the file given with -f, or standard input if that is not a terminal."
    )

    @OptionGroup var model: ModelArgument

    @Argument(help: "The text.")
    var text: String?

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Read the text from a file; - is standard input.", valueName: "path"),
        completion: .file())
    var file: String?

    @Flag(help: "Do not add the tokens that the model expects at the beginning and end of a text.")
    var noBos = false

    @Flag(help: "Parse special tokens such as <|im_end|> in the text instead of reading them as text.")
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

    /// One token per line: its id and its text in quotes.
    private func table(_ tokens: [TokenID], _ tokenizer: Tokenizer) -> String {
        tokens.map { Format.right(String($0), 7) + "  " + TokenText.quoted($0, tokenizer) + "\n" }.joined()
    }
}

struct DetokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detokenize",
        abstract: "Print the text of token ids, byte for byte.",
        discussion:
            "The ids come from --tokens, or from standard input in the format of tokenize, with or without --json."
    )

    @OptionGroup var model: ModelArgument

    @Option(parsing: .unconditional, help: ArgumentHelp("Token ids, separated by commas.", valueName: "ids"))
    var tokens: TokenList?

    @Flag(help: #"Print one JSON object {"text":"…"}."#)
    var json = false

    func run() throws {
        let tokens = try tokens ?? pipedTokens()
        let tokenizer = try model.tokenizer()
        if let unknown = tokens.tokens.first(where: { !(0..<tokenizer.count).contains(Int($0)) }) {
            throw InferenceError(
                .invalidArgument, "token \(unknown) is not in the vocabulary of \(tokenizer.count) tokens")
        }
        let bytes = tokenizer.bytes(of: tokens.tokens)
        if json {
            try Output.json(["text": String(decoding: bytes, as: UTF8.self)])
        } else {
            Output.standardOutput(bytes)
            if Terminal.isOutputInteractive { Output.standardOutput("\n") }
        }
    }

    private func pipedTokens() throws -> TokenList {
        let text = Terminal.isInputInteractive ? [] : try InputText.standardInput()
        guard text.contains(where: { !Character(UnicodeScalar($0)).isWhitespace }) else {
            throw ValidationError("No tokens: give them with --tokens or on standard input.")
        }
        guard let tokens = TokenList(printed: text) else {
            throw InferenceError(
                .invalidArgument, "standard input is neither what tokenize prints nor a list of token ids")
        }
        return tokens
    }
}
