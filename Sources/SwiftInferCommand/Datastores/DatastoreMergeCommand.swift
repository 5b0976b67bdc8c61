// `swiftinfer datastore merge`: merges several datastores into one.

import ArgumentParser
import InferCodeSwift
import InferEvaluation

struct DatastoreMergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Make one datastore of several.",
        discussion: """
            A look-up takes the same time in a large datastore as in a small one, and its counts are those of the whole: \
            datastores that are used together are better merged. Documents that occur twice are kept once. The same \
            datastores in the same order give the same bytes.
            """
    )

    @Argument(help: "The datastores, all for the same tokenizer.", completion: .datastore)
    var files: [String]

    @OptionGroup var output: DatastoreOutput

    @Flag(help: "Print one JSON object that says what was written.")
    var json = false

    private struct Report: Encodable {
        let path: String
        let documents: Int
        let duplicates: Int
        let tokens: Int
        let fileBytes: Int

        enum CodingKeys: String, CodingKey {
            case path, documents, duplicates, tokens
            case fileBytes = "file_bytes"
        }
    }

    func run() throws {
        try output.check()
        let stores = try files.map { try Datastore(path: $0) }
        let tokenizer = stores[0].tokenizer
        for store in stores { try store.requireTokenizer(tokenizer) }
        let corpus = Corpus(vocabularyCount: tokenizer.vocabularyCount)
        let bar = ProgressBar("reading")
        var known: Set<UInt64> = []
        var duplicates = 0
        for (number, store) in stores.enumerated() {
            duplicates += try corpus.append(store, known: &known)
            bar.update(Double(number + 1) / Double(stores.count))
        }
        bar.clear()
        let (documents, tokens) = (corpus.documentCount, corpus.tokenCount)
        let bytes = try output.write(corpus, tokenizer)
        Output.standardError(
            "\(output.path): \(documents) documents, \(tokens) tokens, \(Format.bytes(bytes)) from \(stores.count) datastores\n"
                + (duplicates > 0 ? "left out \(duplicates) documents equal to another\n" : ""))
        if json {
            try Output.json(
                Report(
                    path: output.path, documents: documents, duplicates: duplicates, tokens: tokens, fileBytes: bytes))
        }
    }
}
