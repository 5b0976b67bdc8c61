// From files to a corpus: options, reading, filtering, tokenizing.

package import InferSupport
package import InferTokenizers
import Synchronization

/// What ingestion takes and leaves. The defaults suit a working tree.
public struct IngestionOptions: Sendable {
    /// The largest file taken, in bytes.
    public var maximumFileSize = 1 << 20
    /// Extensions taken, without the dot and in lower case; nil for any.
    public var extensions: Set<String>?
    /// Whether files that git ignores are left out.
    public var respectsGitIgnore = true
    /// Whether generated, minified and data files are left out.
    public var skipsGenerated = true
    /// Whether files that look like they hold secrets are left out.
    public var skipsSecrets = true
    /// Whether a file equal to one before it is left out.
    public var skipsDuplicates = true

    /// The defaults.
    public init() {}
}

/// Reads, filters and tokenizes files, and gathers them in a corpus in the order they are given, so that the same files
/// give the same corpus whatever the number of threads.
package struct Ingestion {
    private let tokenizer: Tokenizer
    private let options: IngestionOptions
    private let threads: Int
    /// The documents so far.
    package let corpus: Corpus
    /// What was passed over so far.
    package private(set) var skipped = SkipReport()
    /// Bytes of the files that became documents.
    package private(set) var byteCount = 0
    private var hashes: Set<UInt64> = []

    /// Bytes of files that are held at a time.
    private static let batchSize = 16 << 20

    /// An ingestion with nothing in it.
    ///
    /// - Parameter threads: nil for one per processor.
    package init(tokenizer: Tokenizer, options: IngestionOptions = IngestionOptions(), threads: Int? = nil) {
        self.tokenizer = tokenizer
        self.options = options
        self.threads = threads ?? WorkerThreads.processors
        corpus = Corpus(vocabularyCount: tokenizer.count)
    }

    /// Adds the files below the folder at `path`.
    ///
    /// - Parameter progress: Called now and then with the share that is done.
    /// - Throws: ``InferenceError`` when the folder cannot be opened, when a folder cannot be listed or a file not be read for a
    ///   reason that does not lie with it, or as ``Corpus/append(_:name:)`` does.
    package mutating func addFolder(
        _ path: String, progress: (Double) -> Void = { _ in }
    ) throws(InferenceError) {
        let root = try RootedFolder(path: path)
        var walk = FolderWalk(root, options: options)
        try walk.run()
        skipped.merge(walk.skipped)
        try add(walk.files, in: root, progress: progress)
    }

    /// Adds the files at `paths`, relative to the folder at `path`, in ascending order and whatever git says of them.
    ///
    /// - Throws: ``InferenceError`` when the folder cannot be opened, when a folder cannot be listed or a file not be read for a
    ///   reason that does not lie with it, or as ``Corpus/append(_:name:)`` does.
    package mutating func addFiles(
        _ paths: [[UInt8]], below path: String, progress: (Double) -> Void = { _ in }
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

    /// Adds files of `root` in the order given, whatever their names and git say.
    package mutating func add(
        _ files: [SourceFile], in root: RootedFolder, progress: (Double) -> Void = { _ in }
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
            progress(Double(done) / Double(total))
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
        /// That reading failed, so that what there is must not pass for the whole.
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
