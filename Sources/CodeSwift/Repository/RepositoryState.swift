// The contents of a repository store: files, segments, and which file is where.

import InferTokenizers

/// The contents of a ``RepositoryStore``.
struct RepositoryState {
    /// A file and the location of its tokens. A file that was skipped has no place.
    struct Entry {
        var file: SourceFile
        var place: (segment: Int, document: Int)?
    }

    /// The documents that a merge combines.
    struct MergePlan {
        /// Number of segments at the front that stay as they are.
        var kept: Int
        /// Sorted by path.
        var documents: [(name: [UInt8], segment: RepositorySegment, number: Int)]
        /// The generation of the state that the plan was made from.
        var generation: Int
    }

    /// Maximum number of small segments after the first, large one.
    private static let maximumSmallSegments = 4

    private(set) var segments: [RepositorySegment] = []
    /// For each segment the positions of files that have changed or were removed.
    private(set) var hidden: [PositionSet] = []
    var files: [[UInt8]: Entry] = [:]
    var skipped = SkipReport()
    var generation = 0

    /// The segments without the hidden positions.
    var searchable: [StoreSegment] {
        zip(segments, hidden).map { StoreSegment($0.corpus.index, excluded: $1) }
    }

    /// Forgets a file and hides its tokens.
    mutating func remove(_ path: [UInt8]) {
        if let place = files[path]?.place {
            hidden[place.segment].insert(segments[place.segment].ranges[place.document])
        }
        files[path] = nil
    }

    /// Adds a segment. It is the new place of the files in it, which must be known.
    mutating func append(_ segment: RepositorySegment) {
        for (document, name) in segment.names.enumerated() { files[name]?.place = (segments.count, document) }
        segments.append(segment)
        hidden.append(PositionSet())
    }

    /// Replaces all segments except the first `kept` by `segment`, which holds their documents.
    mutating func replace(from kept: Int, with segment: RepositorySegment) {
        segments.removeLast(segments.count - kept)
        hidden.removeLast(hidden.count - kept)
        append(segment)
        generation += 1
    }

    /// Whether a merge is worth its cost.
    var mergeIsDue: Bool { segments.count > Self.maximumSmallSegments + 1 || isLargeOneOutOfDate }

    /// Whether too much of the first segment is hidden, or it is no longer much larger than the others.
    private var isLargeOneOutOfDate: Bool {
        guard let first = segments.first, segments.count > 1 else { return false }
        let small = segments.dropFirst().reduce(0) { $0 + $1.tokenCount }
        return (hidden[0].count + small) * 3 > first.tokenCount
    }

    /// What a merge would combine.
    var mergePlan: MergePlan {
        let kept = isLargeOneOutOfDate ? 0 : min(1, segments.count)
        let documents = files.compactMap { path, entry in
            entry.place.flatMap { $0.segment >= kept ? (path, segments[$0.segment], $0.document) : nil }
        }
        return MergePlan(
            kept: kept, documents: documents.sorted { $0.0.lexicographicallyPrecedes($1.0) }, generation: generation)
    }
}

/// Documents of a repository that were indexed together. Immutable.
final class RepositorySegment: Sendable {
    let corpus: SortedCorpus
    /// The positions of each document's tokens, without the separator.
    let ranges: [Range<Int>]

    /// The documents' names.
    let names: [[UInt8]]

    init(_ corpus: SortedCorpus) {
        self.corpus = corpus
        let starts = corpus.corpus.documentStarts.map { Int($0) } + [corpus.corpus.tokenCount]
        names = corpus.corpus.documentNames
        ranges = zip(starts, starts.dropFirst()).map { $0..<$1 - 1 }
    }

    /// Number of tokens, including separators.
    var tokenCount: Int { corpus.corpus.tokenCount }

    /// The tokens of a document.
    func tokens(_ document: Int) -> [TokenID] {
        let tokens = corpus.corpus.tokens
        return ranges[document].map { TokenID(bitPattern: tokens[$0]) }
    }
}
