// `swiftinfer datastore info`: prints the contents of a datastore.

import ArgumentParser
import InferCodeSwift
import InferEvaluation
import InferSupport
import SwiftInfer

struct DatastoreInfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Print what a datastore holds and for which tokenizer.")

    @Argument(help: "The datastore.", completion: .datastore)
    var file: String

    @Option(help: ArgumentHelp("List this many of its documents.", valueName: "n"))
    var documents = 0

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if documents < 0 { throw ValidationError("--documents must not be negative.") }
    }

    private struct Description: Encodable {
        let tokenizer: String
        let fingerprint: String
        let vocabulary: Int
        let documents: Int
        let tokens: Int
        let bytes: Int
        let names: [String]
    }

    func run() throws {
        let store = try Datastore(path: file)
        try store.verifyNames()
        let listed = (0..<min(documents, store.documentCount)).compactMap { store.document($0) }
        if json {
            return try Output.json(
                Description(
                    tokenizer: store.tokenizer.name, fingerprint: String(store.tokenizer.fingerprint, radix: 16),
                    vocabulary: store.tokenizer.vocabularyCount, documents: store.documentCount,
                    tokens: store.tokenCount, bytes: store.byteCount, names: listed.map(\.name)))
        }
        Output.standardOutput(
            Format.table([
                ("tokenizer", store.tokenizer.summary), ("documents", "\(store.documentCount)"),
                ("tokens", "\(store.tokenCount)"), ("size", Format.bytes(store.byteCount)),
            ]))
        for document in listed {
            Output.standardOutput(Format.right("\(document.tokens.count)", 9) + "  \(document.name.printable)\n")
        }
    }
}
