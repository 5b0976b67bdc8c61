// Building a datastore from folders and files.

public import InferSupport
public import InferTokenizers

/// Builds a datastore from source files.
///
/// Add folders and files, then write the datastore:
///
/// ```swift
/// let model = try Model(contentsOf: "qwen2.5-coder-1.5b.gguf")
/// var builder = DatastoreBuilder(for: model)
/// try builder.add("Sources")
/// let store = try builder.write(to: "sources.store")
///
/// let options = CodeSwiftOptions(datastores: [store.path])
/// let session = try model.makeSession(.init(drafter: .codeSwift(options)))
/// ```
///
/// The same files in the same order give the same bytes, whatever the number of threads.
///
/// The methods work on the calling thread and on threads of their own, and return when they are done: seconds for a
/// repository, minutes for gigabytes of code. Call them from a background task. If that task is cancelled, they throw
/// ``InferenceError`` with `cancelled`, and no file is written. Memory: all token ids (2 or 4 bytes each) and, during
/// ``write(to:progress:)``, 4 to 6 bytes per token more.
public struct DatastoreBuilder: ~Copyable {
    private let identity: TokenizerIdentity
    private var ingestion: Ingestion

    /// A builder without documents.
    ///
    /// - Parameters:
    ///   - tokenizer: The tokenizer of the models that will draft from the datastore.
    ///   - name: Describes the tokenizer in messages, such as the model's name.
    ///   - options: Which files are taken.
    ///   - threads: Number of threads that read and tokenize files; nil for one per processor.
    public init(
        tokenizer: Tokenizer, name: String, options: IngestionOptions = IngestionOptions(), threads: Int? = nil
    ) {
        identity = TokenizerIdentity(tokenizer, name: name)
        ingestion = Ingestion(tokenizer: tokenizer, options: options, threads: threads)
    }

    /// Number of documents so far.
    public var documentCount: Int { ingestion.corpus.documentCount }
    /// Number of tokens so far, including a separator after each document.
    public var tokenCount: Int { ingestion.corpus.tokenCount }
    /// Total size of the files that became documents, in bytes.
    public var sourceByteCount: Int { ingestion.byteCount }
    /// The files and folders that were skipped so far.
    public var skipped: SkipReport { ingestion.skipped }

    /// Adds the file at `path`, or the files below the folder at `path`.
    ///
    /// A folder is read as git sees it: tracked and untracked files, but no ignored ones. The `git` program is not
    /// needed. Links are not followed. A file is taken even if git ignores it. Other reasons to skip a file are in
    /// ``IngestionOptions``; ``skipped`` reports what was skipped.
    ///
    /// - Parameters:
    ///   - path: A file or a folder. Documents are named by their path relative to the folder.
    ///   - progress: Receives the fraction done, from 0 to 1, after every 16 MiB of files.
    /// - Throws: ``InferenceError`` with `unreadableFile` when the folder cannot be opened or a part of it cannot be
    ///   listed or read, with `invalidArgument` when there are more tokens than one datastore can hold (about 2³¹), or
    ///   with `cancelled`. The builder may then contain a part of the files and should not be used any more.
    public mutating func add(_ path: String, progress: (Double) -> Void = { _ in }) throws(InferenceError) {
        guard let (folder, name) = Self.file(at: path) else {
            return try ingestion.addFolder(path) { share throws(InferenceError) in
                try checkCancellation()
                progress(share)
            }
        }
        try addFiles([name], below: folder, progress: progress)
    }

    /// Adds the files at `paths`, in ascending order of their paths, even if git ignores them.
    ///
    /// - Parameters:
    ///   - paths: Paths relative to `folder`. Paths that lead out of it or over links are skipped.
    ///   - folder: The folder that the documents' names are relative to.
    ///   - progress: As for ``add(_:progress:)``.
    /// - Throws: ``InferenceError`` as ``add(_:progress:)`` does.
    public mutating func addFiles(
        _ paths: [String], below folder: String, progress: (Double) -> Void = { _ in }
    ) throws(InferenceError) {
        try addFiles(paths.map { Array($0.utf8) }, below: folder, progress: progress)
    }

    /// The same for paths as bytes, which need not be valid UTF-8.
    package mutating func addFiles(
        _ paths: [[UInt8]], below folder: String, progress: (Double) -> Void = { _ in }
    ) throws(InferenceError) {
        try ingestion.addFiles(paths, below: folder) { share throws(InferenceError) in
            try checkCancellation()
            progress(share)
        }
    }

    /// Sorts the documents' suffixes and writes the datastore.
    ///
    /// The file is written under a temporary name in the same folder, synced, and then renamed: the file at `path` is
    /// always either the old one or the complete new one. Datastores that are open keep the old contents.
    ///
    /// - Parameters:
    ///   - path: The file to write. An existing file is replaced.
    ///   - progress: Receives the fraction done, from 0 to 1, a few times.
    /// - Returns: The new datastore, opened.
    /// - Throws: ``InferenceError`` with `unwritableFile`, or with `cancelled`.
    @discardableResult
    public consuming func write(
        to path: String, progress: (Double) -> Void = { _ in }
    ) throws(InferenceError) -> Datastore {
        try checkCancellation()
        let sorted = try SortedCorpus(ingestion.corpus) { share throws(InferenceError) in
            try checkCancellation()
            progress(share * 0.9)
        }
        try checkCancellation()
        progress(0.9)
        try DatastoreWriter.write(sorted, tokenizer: identity, to: path)
        progress(1)
        return try Datastore(path: path)
    }

    /// The folder and the name of the file at `path`; nil if it is a folder, or does not exist.
    private static func file(at path: String) -> (folder: String, name: [UInt8])? {
        var status = stat()
        guard !path.utf8.contains(0), stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else { return nil }
        guard let slash = path.lastIndex(of: "/") else { return (".", Array(path.utf8)) }
        let name = Array(path[path.index(after: slash)...].utf8)
        return (slash == path.startIndex ? "/" : String(path[..<slash]), name)
    }
}
