// The working tree, searchable, kept up to date.

package import InferSupport
package import InferTokenizers
import Synchronization

/// The files of a repository as git sees them, in immutable segments.
///
/// ``refresh()`` looks for changes. A changed file is hidden in the segment it was in and goes into a new one with the other
/// changes, so that what it costs depends on what changed; when small segments become many they are merged, without
/// reading or tokenizing anything again.
package final class RepositoryStore: Sendable {
    private let root: RootedFolder
    let tokenizer: Tokenizer
    private let options: IngestionOptions
    private let threads: Int
    private let state = Mutex(RepositoryState())

    /// Bytes of files that are indexed at most, which take some six times as much memory: a repository can be somebody's whole
    /// home folder.
    private static let maximumSize = 256 << 20

    /// What a refresh found.
    package struct Changes: Equatable, Sendable {
        /// Files that are new or have new contents.
        package var updated = 0
        /// Files that are gone.
        package var removed = 0

        /// So many changes.
        package init(updated: Int = 0, removed: Int = 0) {
            self.updated = updated
            self.removed = removed
        }
    }

    /// A store of the folder at `path`, empty until it is refreshed.
    ///
    /// - Parameter threads: nil for one per processor.
    package init(
        path: String, tokenizer: Tokenizer, options: IngestionOptions = IngestionOptions(), threads: Int? = nil
    ) throws(InferenceError) {
        root = try RootedFolder(path: path)
        self.tokenizer = tokenizer
        self.options = options
        self.threads = threads ?? WorkerThreads.processors
    }

    /// What is searched now. Stays as it is when the store changes.
    package var segments: [StoreSegment] { state.withLock { $0.searchable } }

    /// What is searched now, and where in it the file at `path` is.
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

    /// Grows with every change.
    package var generation: Int { state.withLock { $0.generation } }

    /// For tests. Number of files that can be found.
    package var fileCount: Int { state.withLock { $0.files.values.count { $0.place != nil } } }

    /// What the last refresh passed over.
    package var skipped: SkipReport { state.withLock { $0.skipped } }

    /// Brings the store up to date with the files.
    ///
    /// - Throws: ``InferenceError`` when a folder cannot be listed or a file not be read; then the store stays as it is.
    /// - Parameter progress: Called now and then with the share that is done.
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

    /// The files, in the order of their paths, that together are no larger than ``maximumSize``.
    private static func affordable(_ files: [SourceFile]) -> [SourceFile] {
        var size = 0
        return files.filter { file in
            size += file.size
            return size <= maximumSize
        }
    }

    /// Brings the store up to date with one file, at a path relative to the root, which an editor has just written.
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
        // Copies are kept: which of two equal files is the first changes with the files.
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

    /// Puts the small segments into one, or all of them where the large one is not worth keeping.
    private func merge() throws(InferenceError) {
        let plan = state.withLock { $0.mergePlan }
        let corpus = Corpus(vocabularyCount: tokenizer.count)
        for document in plan.documents {
            try corpus.append(document.segment.tokens(document.number), name: document.name)
        }
        let merged = RepositorySegment(try SortedCorpus(corpus))
        state.withLock { state in
            // After a change meanwhile the plan is out of date; the next change will make another.
            if state.generation == plan.generation { state.replace(from: plan.kept, with: merged) }
        }
    }
}
