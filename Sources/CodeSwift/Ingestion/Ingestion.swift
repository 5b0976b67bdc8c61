// From files to a corpus: options, reading, filtering, tokenizing.

package import InferSupport
package import InferTokenizers
import Synchronization

/// Which files are added to a datastore or a repository index. The defaults suit a working tree.
public struct IngestionOptions: Sendable {
    /// Maximum size of a file, in bytes. Larger files are skipped.
    public var maximumFileSize = 1 << 20
    /// The file name extensions to take, without the dot and in lower case; nil for all.
    public var extensions: Set<String>?
    /// Whether to skip files that git ignores.
    public var respectsGitIgnore = true
    /// Whether to skip generated, minified and data files.
    public var skipsGenerated = true
    /// Whether to skip files that seem to contain secrets.
    public var skipsSecrets = true
    /// Whether to skip a file that is equal to an earlier one.
    public var skipsDuplicates = true

    /// Creates the default options.
    public init() {}
}

/// Reads, filters and tokenizes files, and collects them in a corpus in the given order. The same files give the same
/// corpus for any number of threads.
package struct Ingestion {
    private let tokenizer: Tokenizer
    private let options: IngestionOptions
    private let threads: Int
    /// The documents so far.
    package let corpus: Corpus
    /// The files that were skipped so far.
    package private(set) var skipped = SkipReport()
    /// Total size of the files that became documents, in bytes.
    package private(set) var byteCount = 0
    private var hashes: Set<UInt64> = []

    /// Total size of the files that are in memory at a time, in bytes.
    private static let batchSize = 16 << 20

    /// An empty ingestion.
    ///
    /// - Parameters:
    ///   - tokenizer: Encodes the files.
    ///   - options: Which files to take.
    ///   - threads: Number of threads; nil for one per processor.
    package init(tokenizer: Tokenizer, options: IngestionOptions = IngestionOptions(), threads: Int? = nil) {
        self.tokenizer = tokenizer
        self.options = options
        self.threads = threads ?? WorkerThreads.processors
        corpus = Corpus(vocabularyCount: tokenizer.count)
    }

    /// Adds the files below the folder at `path`.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - progress: Receives the fraction done, from 0 to 1, a few times. An error that it throws ends the work.
    /// - Throws: ``InferenceError`` when the folder cannot be opened, when a folder cannot be listed or a file cannot
    ///   be read (unless the fault is the file's own, which is then skipped), or as ``Corpus/append(_:name:)`` does.
    package mutating func addFolder(
        _ path: String, progress: (Double) throws(InferenceError) -> Void = { _ in }
    ) throws(InferenceError) {
        let root = try RootedFolder(path: path)
        var walk = FolderWalk(root, options: options)
        try walk.run()
        skipped.merge(walk.skipped)
        try add(walk.files, in: root, progress: progress)
    }

    /// Adds the files at `paths` in ascending order, including those that git ignores.
    ///
    /// - Parameters:
    ///   - paths: Paths relative to the folder at `path`.
    ///   - path: The folder.
    ///   - progress: As for ``addFolder(_:progress:)``.
    /// - Throws: ``InferenceError`` as ``addFolder(_:progress:)`` does.
    package mutating func addFiles(
        _ paths: [[UInt8]], below path: String, progress: (Double) throws(InferenceError) -> Void = { _ in }
    ) throws(InferenceError) {
        let root = try RootedFolder(path: path)
        var files: [SourceFile] = []
        for path in Set(paths).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            switch try FolderWalk.file(path, in: root, options) {
            case .success(let file): files.append(file)
            case .failure(let refusal): skipped.add(refusal.reason, path)
            }
        }
        try add(files, in: root, progress: progress)
    }

    /// Adds files of `root` in the given order, whatever their names are and whether or not git ignores them.
    package mutating func add(
        _ files: [SourceFile], in root: RootedFolder, progress: (Double) throws(InferenceError) -> Void = { _ in }
    ) throws(InferenceError) {
        let total = max(1, files.reduce(0) { $0 + $1.size })
        var done = 0
        var start = 0
        while start < files.count {
            var end = start
            var size = 0
            while end < files.count, size < Self.batchSize {
                size += files[end].size
                end += 1
            }
            for (file, document) in zip(files[start..<end], read(files[start..<end], in: root)) {
                try add(document, file)
            }
            done += size
            start = end
            try progress(Double(done) / Double(total))
        }
    }

    private mutating func add(_ document: Document, _ file: SourceFile) throws(InferenceError) {
        if let failure = document.failure { throw failure }
        if let reason = document.reason { return skipped.add(reason, file.path) }
        if options.skipsDuplicates, !hashes.insert(document.hash).inserted { return skipped.add(.duplicate, file.path) }
        try corpus.append(document.tokens, name: file.path)
        byteCount += document.byteCount
    }

    private struct Document {
        var reason: SkipReason?
        /// A failure to read. It ends the ingestion, because a part must not pass for the whole.
        var failure: InferenceError?
        var tokens: [TokenID] = []
        var hash: UInt64 = 0
        var byteCount = 0
    }

    private func read(_ files: ArraySlice<SourceFile>, in root: RootedFolder) -> [Document] {
        let documents = Mutex([Document](repeating: Document(), count: files.count))
        let (tokenizer, options) = (tokenizer, options)
        WorkerThreads.run(files.count, threads: threads, state: { TextEncoder(tokenizer) }) { encoder, item in
            let document = Self.document(files[files.startIndex + item], root, &encoder, options)
            documents.withLock { $0[item] = document }
        }
        return documents.withLock { $0 }
    }

    private static func document(
        _ file: SourceFile, _ root: RootedFolder, _ encoder: inout TextEncoder, _ options: IngestionOptions
    ) -> Document {
        let contents: [UInt8]
        do {
            guard let found = try root.read(file.path, limit: options.maximumFileSize) else {
                return Document(reason: .unreadable)
            }
            contents = found
        } catch {
            return Document(failure: error)
        }
        if let reason = ContentFilter(options).reason(contents) { return Document(reason: reason) }
        return Document(
            tokens: encoder.encode(contents, addSpecial: false), hash: XXHash64.hash(contents),
            byteCount: contents.count)
    }
}

/// Throws if the current task is cancelled.
///
/// - Throws: ``InferenceError`` with `cancelled`.
func checkCancellation() throws(InferenceError) {
    if Task.isCancelled { throw InferenceError(.cancelled, "building the datastore was cancelled") }
}
