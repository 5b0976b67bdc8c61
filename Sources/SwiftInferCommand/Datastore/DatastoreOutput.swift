// The datastore that a command writes.

import ArgumentParser
import InferCodeSwift
import InferSupport

/// Options that say where a datastore goes.
struct DatastoreOutput: ParsableArguments {
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The datastore to write.", valueName: "path"))
    var path: String

    @Flag(help: "Replace the output even if it is something else than a datastore.")
    var force = false

    /// Throws if the output would replace something that is not a datastore, or cannot be written: now, before the work.
    func check() throws(InferenceError) {
        _ = try OutputFile(replacing: path)
        guard !force, OutputFile.exists(path) else { return }
        do throws(InferenceError) {
            _ = try Datastore(path: path)
        } catch {
            switch error.code {
            // One of another version, which is what building anew is for.
            case .incompatibleDatastore: return
            case .malformedDatastore:
                throw InferenceError(.unwritableFile, "\(path) exists and is no datastore; use --force to replace it")
            // Nobody knows what it is, as when there are no more file descriptors.
            default:
                throw InferenceError(
                    .unwritableFile, "cannot tell whether \(path) is a datastore: \(error.message)")
            }
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
