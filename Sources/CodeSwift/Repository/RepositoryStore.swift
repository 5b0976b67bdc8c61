// A searchable copy of a working tree that is kept up to date.

package import InferSupport
package import InferTokenizers
import Synchronization

/// The files of a repository as git sees them, in immutable segments.
///
/// ``refresh(progress:)`` looks for changes. A changed file is hidden in its old segment and added to a new segment
/// together with the other changes, so the cost depends only on the amount of change. When there are many small
/// segments, they are merged without reading or tokenizing files again.
package final class RepositoryStore: Sendable {
    private let root: RootedFolder
    let tokenizer: Tokenizer
    private let options: IngestionOptions
    private let threads: Int
    private let state = Mutex(RepositoryState())

    /// Maximum number of bytes of indexed files. The index takes about six times as much memory, and a repository can
    /// be somebody's whole home folder.
    private static let maximumSize = 256 << 20

    /// The result of a refresh.
    package struct Changes: Equatable, Sendable {
        /// Number of files that are new or have new contents.
        package var updated = 0
        /// Number of files that were removed.
        package var removed = 0

        /// Creates a result from its counts.
        package init(updated: Int = 0, removed: Int = 0) {
            self.updated = updated
            self.removed = removed
        }
    }

    /// A store of the folder at `path`, empty until it is refreshed.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - tokenizer: The tokenizer of the model.
    ///   - options: Which files are indexed.
    ///   - threads: Number of threads; nil for one per processor.
    /// - Throws: ``InferenceError`` with `unreadableFile` when the folder cannot be opened.
    package init(
        path: String, tokenizer: Tokenizer, options: IngestionOptions = IngestionOptions(), threads: Int? = nil
    ) throws(InferenceError) {
        root = try RootedFolder(path: path)
        self.tokenizer = tokenizer
        self.options = options
        self.threads = threads ?? WorkerThreads.processors
    }

    /// The segments to search now. The value does not change when the store does.
    package var segments: [StoreSegment] { state.withLock { $0.searchable } }

    /// The segments to search now, and the location of the file at `path` in them.
    func searchable(
        _ path: String
    ) -> (segments: [StoreSegment], place: (segment: Int, positions: Range<Int>, tokens: [TokenID])?) {
        state.withLock { state in
            let place = state.files[Array(path.utf8)]?.place.map { place in
                let segment = state.segments[place.segment]
                return (place.segment, segment.ranges[place.document], segment.tokens(place.document))
            }
            return (state.searchable, place)
        }
    }

    /// Increases with every change.
    package var generation: Int { state.withLock { $0.generation } }

    /// For tests. Number of searchable files.
    package var fileCount: Int { state.withLock { $0.files.values.count { $0.place != nil } } }

    /// The files that the last refresh skipped.
    package var skipped: SkipReport { state.withLock { $0.skipped } }

    /// Updates the store to the current files.
    ///
    /// - Parameter progress: Receives the fraction done, from 0 to 1, a few times.
    /// - Throws: ``InferenceError`` when a folder cannot be listed or a file cannot be read. The store then stays
    ///   unchanged.
    @discardableResult
    package func refresh(progress: (Double) -> Void = { _ in }) throws(InferenceError) -> Changes {
        var walk = FolderWalk(root, options: options)
        try walk.run()
        let files = Self.affordable(walk.files)
        let known = state.withLock { $0.files.mapValues(\.file) }
        let found = Set(files.map(\.path))
        let removed = known.keys.filter { !found.contains($0) }
        let updated = files.filter { known[$0.path] != $0 }
        try update(updated, removing: removed, skipped: walk.skipped, progress: progress)
        return Changes(updated: updated.count, removed: removed.count)
    }

    /// The files, in the order of their paths, whose total size is at most ``maximumSize``.
    private static func affordable(_ files: [SourceFile]) -> [SourceFile] {
        var size = 0
        return files.filter { file in
            size += file.size
            return size <= maximumSize
        }
    }

    /// Updates the store for one file that has just been written, given by its path relative to the root.
    package func refresh(path: String) throws(InferenceError) {
        let path = Array(path.utf8)
        var walk = FolderWalk(root, options: options)
        switch try walk.find(path) {
        case .success(let file): try update([file], removing: [], skipped: skipped) { _ in }
        case .failure: try update([], removing: [path], skipped: skipped) { _ in }
        }
    }

    private func update(
        _ updated: [SourceFile], removing removed: [[UInt8]], skipped: SkipReport, progress: (Double) -> Void
    ) throws(InferenceError) {
        guard !updated.isEmpty || !removed.isEmpty else { return state.withLock { $0.skipped = skipped } }
        // Keeps duplicates: which of two equal files comes first changes with the files.
        var options = options
        options.skipsDuplicates = false
        var ingestion = Ingestion(tokenizer: tokenizer, options: options, threads: threads)
        try ingestion.add(updated, in: root, progress: progress)
        let segment = ingestion.corpus.documentCount > 0 ? RepositorySegment(try SortedCorpus(ingestion.corpus)) : nil
        let mergeIsDue = state.withLock { state in
            for path in removed { state.remove(path) }
            for file in updated { state.remove(file.path) }
            for file in updated { state.files[file.path] = RepositoryState.Entry(file: file) }
            if let segment { state.append(segment) }
            state.skipped = skipped
            state.skipped.merge(ingestion.skipped)
            state.generation += 1
            return state.mergeIsDue
        }
        if mergeIsDue { try merge() }
    }

    /// Combines the small segments, or all segments if the large one is out of date.
    private func merge() throws(InferenceError) {
        let plan = state.withLock { $0.mergePlan }
        let corpus = Corpus(vocabularyCount: tokenizer.count)
        for document in plan.documents {
            try corpus.append(document.segment.tokens(document.number), name: document.name)
        }
        let merged = RepositorySegment(try SortedCorpus(corpus))
        state.withLock { state in
            // If the state has changed meanwhile, the plan is out of date. The next change makes a new one.
            if state.generation == plan.generation { state.replace(from: plan.kept, with: merged) }
        }
    }
}

extension RepositoryStore {
    /// The segments without the given lines of the file at `path`, such as lines that are being written or that a
    /// prompt contains. The store itself does not change.
    ///
    /// - Parameters:
    ///   - lines: Line numbers, counted from 1.
    ///   - path: Relative to the root.
    package func segments(excluding lines: ClosedRange<Int>, of path: String) -> [StoreSegment] {
        var (segments, place) = searchable(path)
        guard let (segment, positions, tokens) = place else { return segments }
        var line = 1
        for (position, token) in zip(positions, tokens) {
            let bytes = tokenizer.bytes(of: token)
            let breaks = bytes.count { $0 == UInt8(ascii: "\n") }
            // A line ends with its line break. A token belongs to all lines that it touches.
            let last = line + breaks - (bytes.last == UInt8(ascii: "\n") ? 1 : 0)
            if lines.overlaps(line...max(line, last)) { segments[segment].excluded.insert(position..<position + 1) }
            line += breaks
        }
        return segments
    }
}

extension RepositoryStore {
    /// The top folder of the repository that contains the folder at `path`: the nearest folder with a `.git` entry,
    /// from `path` upwards. Nil if there is none.
    package static func top(around path: String) -> String? {
        guard var place = AbsolutePath.resolve(path) else { return nil }
        while true {
            if AbsolutePath.resolve(place == "/" ? "/.git" : "\(place)/.git") != nil { return place }
            guard place != "/", let slash = place.lastIndex(of: "/") else { return nil }
            place = slash == place.startIndex ? "/" : String(place[..<slash])
        }
    }
}
