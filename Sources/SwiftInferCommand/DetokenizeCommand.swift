// `swiftinfer detokenize`: token ids to text.

import ArgumentParser
import InferSupport
import SwiftInfer

struct DetokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detokenize",
        abstract: "Print the text of token ids, byte for byte.",
        discussion: "The ids are those of --tokens, or what tokenize prints, with --json or without, on standard input."
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
