// `swiftinfer datastore query`: shows how a text continues in a datastore.

import ArgumentParser
import InferCodeSwift
import InferEvaluation
import SwiftInfer

struct DatastoreQueryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Show the longest ending of a text that a datastore knows, and what follows it there.")

    @Argument(help: "The datastore.", completion: .datastore)
    var file: String

    @Argument(help: "The text.")
    var text: String

    @OptionGroup var tokenizer: TokenizerOption

    @Option(help: ArgumentHelp("The most continuations to show.", valueName: "n"))
    var top = 10

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if top < 1 { throw ValidationError("--top must be at least 1.") }
    }

    /// The most tokens of an ending to search for.
    private static let longestEnding = 64

    private struct Answer: Encodable {
        struct Row: Encodable {
            let token: TokenID
            let text: String
            let count: Int
        }

        /// The number of tokens of the longest ending that occurs.
        let matched: Int
        let occurrences: Int
        let continuations: [Row]
        let microseconds: Double
    }

    func run() throws {
        let (tokenizer, identity) = try tokenizer.load()
        let store = try Datastore(path: file)
        try store.requireTokenizer(identity)
        let tokens = tokenizer.encode(text, addSpecial: false)
        var match: Datastore.Match?
        let duration = ContinuousClock().measure {
            match = store.longestMatch(endingIn: tokens, maximumLength: Self.longestEnding, limit: top)
        }
        let answer = Answer(
            matched: match?.length ?? 0, occurrences: match?.count ?? 0,
            continuations: (match?.continuations ?? []).map {
                Answer.Row(token: $0.token, text: TokenText.quoted($0.token, tokenizer), count: $0.count)
            }, microseconds: duration / .microseconds(1))
        if json { return try Output.json(answer) }
        Output.standardOutput(
            "\(answer.matched) of \(tokens.count) tokens found, \(answer.occurrences) times "
                + "(\(Format.decimal(answer.microseconds, 0)) µs)\n")
        for row in answer.continuations {
            Output.standardOutput(Format.right("\(row.count)", 9) + "  \(row.text)\n")
        }
    }
}
