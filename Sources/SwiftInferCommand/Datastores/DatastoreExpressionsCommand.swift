// `swiftinfer datastore expressions`: builds a small datastore of the expressions that a large one repeats.

import ArgumentParser
import InferCodeSwift
import InferEvaluation
import SwiftInfer

struct DatastoreExpressionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "expressions",
        abstract: "Build a small datastore of the expressions that another repeats.",
        discussion: """
            Repeated sequences of tokens, cut at lines and brackets, those of the largest count times length first: a \
            twentieth of the datastore that can stand for the whole.
            """
    )

    @Argument(help: "The datastore to take them from.", completion: .datastore)
    var file: String

    @OptionGroup var output: DatastoreOutput

    @OptionGroup var tokenizer: TokenizerOption

    @Option(help: ArgumentHelp("Tokens to take, as a share of the datastore's.", valueName: "share"))
    var share = 0.05

    @Flag(help: #"Print one JSON object {"path":…,"expressions":…,"tokens":…,"bytes":…}."#)
    var json = false

    private struct Report: Encodable {
        let path: String
        let expressions: Int
        let tokens: Int
        let bytes: Int
    }

    func validate() throws {
        if !(0.0001...1).contains(share) { throw ValidationError("--share must be from 0.0001 to 1.") }
    }

    func run() throws {
        try output.check()
        let (tokenizer, identity) = try tokenizer.load()
        let store = try Datastore(path: file)
        try store.requireTokenizer(identity)
        var options = FrequentExpressions.Options()
        options.share = share
        let corpus = try FrequentExpressions.corpus(
            of: store, boundaries: TokenBoundaries(tokenizer), options: options)
        let (documents, tokens) = (corpus.documentCount, corpus.tokenCount)
        let bytes = try output.write(corpus, identity)
        if json { try Output.json(Report(path: output.path, expressions: documents, tokens: tokens, bytes: bytes)) }
        Output.standardError("\(output.path): \(documents) expressions, \(tokens) tokens, \(Format.bytes(bytes))\n")
    }
}
