// `swiftinfer datastore expressions`: a small datastore of what a large one repeats.

import ArgumentParser
import CodeSwift
import Foundation
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

    @Argument(help: "The datastore to take them from.")
    var file: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The datastore to write.", valueName: "path"))
    var output: String

    @OptionGroup var tokenizer: TokenizerOption

    @Option(help: ArgumentHelp("Tokens to take, as a share of the datastore's.", valueName: "share"))
    var share = 0.05

    @Flag(help: "Replace the output even if it is something else than a datastore.")
    var force = false

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
        guard
            force || !FileManager.default.fileExists(atPath: output) || (try? Datastore(path: output)) != nil
        else {
            throw InferenceError(
                .unwritableFile, "\(output) exists and is no datastore; use --force to replace it")
        }
        let (tokenizer, identity) = try tokenizer.load()
        let store = try Datastore(path: file)
        try store.requireTokenizer(identity)
        var options = FrequentExpressions.Options()
        options.share = share
        let corpus = try FrequentExpressions.corpus(
            of: store.index, vocabularyCount: store.tokenizer.vocabularyCount,
            boundaries: TokenBoundaries(tokenizer), options: options)
        let (documents, tokens) = (corpus.documentCount, corpus.tokenCount)
        try DatastoreWriter.write(try SortedCorpus(corpus), tokenizer: identity, to: output)
        let bytes = try Datastore(path: output).byteCount
        if json { try Output.json(Report(path: output, expressions: documents, tokens: tokens, bytes: bytes)) }
        Output.standardError("\(documents) expressions, \(tokens) tokens, \(bytes) bytes\n")
    }
}
