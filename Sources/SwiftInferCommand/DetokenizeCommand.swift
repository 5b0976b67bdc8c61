// `swiftinfer detokenize`: token ids to text.

import ArgumentParser
import SwiftInfer

struct DetokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detokenize",
        abstract: "Print the text of token ids, byte for byte."
    )

    @OptionGroup var model: ModelArgument

    @Option(help: ArgumentHelp("Token ids, separated by commas.", valueName: "ids"))
    var tokens: TokenList

    @Flag(help: #"Print one JSON object {"text":"…"}."#)
    var json = false

    func run() throws {
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
}
