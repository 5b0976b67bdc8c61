// `swiftinfer datastore build`: builds a datastore from folders and files, and reports what was left out.

import ArgumentParser
import InferCodeSwift
import InferEvaluation
import SwiftInfer

struct DatastoreBuildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Build a datastore from folders and files.",
        discussion: """
            Folders are read as git sees them: tracked and untracked files, not ignored ones; the program git need not be \
            there. Links are not followed. Generated, binary and secret files are left out, and what was left out is told.

            The same files give the same bytes. The file appears under its name when it is complete. Parts of a large corpus can \
            be built one by one, anywhere, with --files-from, and used together.
            """
    )

    @Argument(
        help: "Folders and files; with --files-from, the folder its paths are relative to.", completion: .file())
    var paths: [String]

    @OptionGroup var output: DatastoreOutput

    @OptionGroup var tokenizer: TokenizerOption

    @Option(
        help: ArgumentHelp(
            "Take the files listed in this file, a path per line; - is standard input.", valueName: "list"),
        completion: .file())
    var filesFrom: String?

    @Option(help: ArgumentHelp("Take only files with these extensions, such as py,pyi.", valueName: "list"))
    var extensions: String?

    @Option(help: ArgumentHelp("Leave out files larger than this many KiB.", valueName: "n"))
    var maxFileSize = 1024

    @Option(help: ArgumentHelp("Threads (default: one per processor).", valueName: "n"))
    var threads: Int?

    @Flag(help: "Take files that git ignores too.")
    var includeIgnored = false

    @Flag(help: "Take generated, minified and data files too.")
    var includeGenerated = false

    @Flag(help: "Print one JSON object that says what was built.")
    var json = false

    func validate() throws {
        if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be from 1 to 1024.") }
        if !(1...1 << 20).contains(maxFileSize) { throw ValidationError("--max-file-size must be from 1 to 1048576.") }
        if filesFrom != nil, paths.count != 1 {
            throw ValidationError("Give one folder with --files-from, which its paths are relative to.")
        }
    }

    func run() throws {
        try output.check()
        let (tokenizer, identity) = try tokenizer.load()
        let start = ContinuousClock.now
        var builder = DatastoreBuilder(
            tokenizer: tokenizer, name: identity.name, options: options, threads: threads)
        try read(into: &builder)
        let (sourceBytes, skipped) = (builder.sourceByteCount, builder.skipped)
        let bar = ProgressBar("sorting")
        defer { bar.clear() }
        let store = try builder.write(to: output.path) { bar.update($0) }
        bar.clear()
        let report = DatastoreBuildReport(
            store, sourceBytes: sourceBytes, skipped: skipped, duration: ContinuousClock.now - start)
        Output.standardError(report.text)
        if json { try Output.json(report) }
    }

    private var options: IngestionOptions {
        var options = IngestionOptions()
        options.maximumFileSize = maxFileSize << 10
        options.extensions = extensions.map { list in
            Set(list.lowercased().split(separator: ",").map { String($0.drop { $0 == "." }) })
        }
        options.respectsGitIgnore = !includeIgnored
        options.skipsGenerated = !includeGenerated
        return options
    }

    private func read(into builder: inout DatastoreBuilder) throws {
        let bar = ProgressBar("reading")
        defer { bar.clear() }
        func progress(_ index: Int, of count: Int) -> (Double) -> Void {
            { bar.update((Double(index) + $0) / Double(count)) }
        }
        if let filesFrom, let root = paths.first {
            let list = try InputText.file(filesFrom).split(separator: UInt8(ascii: "\n")).map(Array.init)
            return try builder.addFiles(list, below: root, progress: progress(0, of: 1))
        }
        for (index, path) in paths.enumerated() {
            try builder.add(path, progress: progress(index, of: paths.count))
        }
    }
}

/// The result of building a datastore, as JSON and as text.
struct DatastoreBuildReport: Encodable {
    /// The files that were left out for one reason.
    struct Skipped: Encodable {
        let reason: String
        let count: Int
        let examples: [String]
        /// The reason as text for people.
        let summary: String

        enum CodingKeys: String, CodingKey { case reason, count, examples }
    }

    let path: String
    let documents: Int
    let tokens: Int
    let sourceBytes: Int
    let fileBytes: Int
    let seconds: Double
    let skipped: [Skipped]

    enum CodingKeys: String, CodingKey {
        case path, documents, tokens, seconds, skipped
        case sourceBytes = "source_bytes", fileBytes = "file_bytes"
    }

    /// Describes `store`, built from files of `sourceBytes` bytes.
    init(_ store: Datastore, sourceBytes: Int, skipped report: SkipReport, duration: Duration) {
        path = store.path
        documents = store.documentCount
        tokens = store.tokenCount
        self.sourceBytes = sourceBytes
        fileBytes = store.byteCount
        seconds = duration / .seconds(1)
        skipped = SkipReason.allCases.compactMap { reason in
            report.entries[reason].map {
                Skipped(reason: reason.rawValue, count: $0.count, examples: $0.examples, summary: reason.summary)
            }
        }
    }

    /// The result as text for people.
    var text: String {
        let rate = seconds > 0 ? Format.decimal(Double(sourceBytes) / seconds / 1e6, 1) : "0"
        var text = "\(path): \(documents) documents, \(tokens) tokens, \(Format.bytes(fileBytes)) "
        text += "from \(Format.bytes(sourceBytes)) in \(Format.decimal(seconds, 2)) s (\(rate) MB/s)\n"
        for entry in skipped {
            let names = entry.examples.joined(separator: ", ") + (entry.count > entry.examples.count ? ", …" : "")
            text += "left out \(entry.count) \(entry.summary): \(names)\n"
        }
        return text
    }
}
