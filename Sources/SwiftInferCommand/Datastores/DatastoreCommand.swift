// `swiftinfer datastore`: the group of commands, and the options that several of them share.

import ArgumentParser
import InferCatalogue
import InferCodeSwift
import InferGGUF
import InferSupport
import SwiftInfer

struct DatastoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datastore",
        abstract: "Build and examine datastores: code that drafts are taken from.",
        subcommands: [
            DatastoreBuildCommand.self, DatastoreInfoCommand.self, DatastoreVerifyCommand.self,
            DatastoreQueryCommand.self, DatastoreMergeCommand.self, DatastoreExpressionsCommand.self,
        ])
}

/// The datastore that a command writes.
struct DatastoreOutput: ParsableArguments {
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The datastore to write.", valueName: "path"), completion: .file())
    var path: String

    @Flag(help: "Replace the output even if it is something else than a datastore.")
    var force = false

    /// Throws if the output cannot be written, or if it would replace a file that is not a datastore. To be called before the
    /// work.
    func check() throws(InferenceError) {
        _ = try OutputFile(replacing: path)
        guard !force, OutputFile.exists(path) else { return }
        do throws(InferenceError) {
            _ = try Datastore(path: path)
        } catch {
            switch error.code {
            // A datastore of another version may be replaced: it has to be rebuilt.
            case .incompatibleDatastore: return
            case .malformedDatastore:
                throw InferenceError(.unwritableFile, "\(path) exists and is no datastore; use --force to replace it")
            // The file could not be examined, for example because there are no more file descriptors.
            default:
                throw InferenceError(
                    .unwritableFile, "cannot tell whether \(path) is a datastore: \(error.message)")
            }
        }
    }

    /// Sorts and writes a corpus.
    ///
    /// - Returns: The size of the file in bytes.
    func write(_ corpus: Corpus, _ tokenizer: TokenizerIdentity) throws(InferenceError) -> Int {
        let bar = ProgressBar("sorting")
        defer { bar.clear() }
        let sorted = try SortedCorpus(corpus) { bar.update($0 * 0.9) }
        bar.update(0.9)
        try DatastoreWriter.write(sorted, tokenizer: tokenizer, to: path)
        return try Datastore(path: path).byteCount
    }
}

/// The model that a datastore is made for, for commands that need only its tokenizer.
struct TokenizerOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The model whose tokenizer to use: path of a .gguf file, or a name.", valueName: "model"),
        completion: .model)
    var model: String

    /// The model's tokenizer, and the identity that a datastore stores.
    func load() throws(InferenceError) -> (tokenizer: Tokenizer, identity: TokenizerIdentity) {
        let metadata = try GGUFFile(path: Catalogue.path(of: model)).metadata
        let tokenizer = try Tokenizer(metadata: metadata)
        Output.warn(tokenizer.warnings)
        return (tokenizer, try TokenizerIdentity(tokenizer, metadata: metadata))
    }
}
