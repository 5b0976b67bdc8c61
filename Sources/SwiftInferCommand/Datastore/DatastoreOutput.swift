// The datastore that a command writes.

import ArgumentParser
import CodeSwift
import Foundation
import GGUF

/// Options that say where a datastore goes.
struct DatastoreOutput: ParsableArguments {
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The datastore to write.", valueName: "path"))
    var path: String

    @Flag(help: "Replace the output even if it is something else than a datastore.")
    var force = false

    /// Throws if the output would replace something that is not a datastore.
    func check() throws(InferenceError) {
        guard !force, FileManager.default.fileExists(atPath: path) else { return }
        guard (try? Datastore(path: path)) != nil else {
            throw InferenceError(.unwritableFile, "\(path) exists and is no datastore; use --force to replace it")
        }
    }

    /// Sorts and writes a corpus, and returns the size of the file.
    func write(_ corpus: Corpus, _ tokenizer: TokenizerIdentity) throws(InferenceError) -> Int {
        let bar = ProgressBar("sorting")
        defer { bar.clear() }
        let sorted = try SortedCorpus(corpus) { bar.update($0 * 0.9) }
        bar.update(0.9)
        try DatastoreWriter.write(sorted, tokenizer: tokenizer, to: path)
        return try Datastore(path: path).byteCount
    }
}
