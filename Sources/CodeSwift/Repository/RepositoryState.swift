// The contents of a repository store: files, segments, and which file is where.

import InferTokenizers

/// The contents of a ``RepositoryStore``.
struct RepositoryState {
    /// What is known of a file, and where its tokens are; files without a place were passed over.
    struct Entry {
        var file: SourceFile
        var place: (segment: Int, document: Int)?
    }

    /// Which documents a merge puts together.
    struct MergePlan {
        /// Segments, from the first, that stay as they are.
        var kept: Int
        /// By path.
        var documents: [(name: [UInt8], segment: RepositorySegment, number: Int)]
        /// The state it was made for.
        var generation: Int
    }

    /// Small segments that may stand beside the first, large one.
    private static let maximumSmallSegments = 4

    private(set) var segments: [RepositorySegment] = []
    /// The positions in each segment that belong to files that have changed or gone.
    private(set) var hidden: [PositionSet] = []
    var files: [[UInt8]: Entry] = [:]
    var skipped = SkipReport()
    var generation = 0

    /// The segments without what is hidden.
    var searchable: [StoreSegment] {
        zip(segments, hidden).map { StoreSegment($0.corpus.index, excluded: $1) }
    }

    /// Forgets a file and hides what it was.
    mutating func remove(_ path: [UInt8]) {
        if let place = files[path]?.place {
            hidden[place.segment].insert(segments[place.segment].ranges[place.document])
        }
        files[path] = nil
    }

    /// Adds a segment, the latest place of the files in it, which are known.
    mutating func append(_ segment: RepositorySegment) {
        for (document, name) in segment.names.enumerated() { files[name]?.place = (segments.count, document) }
        segments.append(segment)
        hidden.append(PositionSet())
    }

    /// Puts `segment` in the place of all segments but the first `kept`, whose documents it holds.
    mutating func replace(from kept: Int, with segment: RepositorySegment) {
        segments.removeLast(segments.count - kept)
        hidden.removeLast(hidden.count - kept)
        append(segment)
        generation += 1
    }

    /// Whether a merge would pay.
    var mergeIsDue: Bool { segments.count > Self.maximumSmallSegments + 1 || isLargeOneOutOfDate }

    /// Whether the first segment is mostly hidden, or no longer the large one.
    private var isLargeOneOutOfDate: Bool {
        guard let first = segments.first, segments.count > 1 else { return false }
        let small = segments.dropFirst().reduce(0) { $0 + $1.tokenCount }
        return (hidden[0].count + small) * 3 > first.tokenCount
    }

    /// What a merge would do.
    var mergePlan: MergePlan {
        let kept = isLargeOneOutOfDate ? 0 : min(1, segments.count)
        let documents = files.compactMap { path, entry in
            entry.place.flatMap { $0.segment >= kept ? (path, segments[$0.segment], $0.document) : nil }
        }
        return MergePlan(
            kept: kept, documents: documents.sorted { $0.0.lexicographicallyPrecedes($1.0) }, generation: generation)
    }
}

/// Documents of a repository that were indexed together. Never changes.
final class RepositorySegment: Sendable {
    let corpus: SortedCorpus
    /// Where each document's tokens are, the separator left out.
    let ranges: [Range<Int>]

    /// The documents' names.
    let names: [[UInt8]]

    init(_ corpus: SortedCorpus) {
        self.corpus = corpus
        let starts = corpus.corpus.documentStarts.map { Int($0) } + [corpus.corpus.tokenCount]
        names = corpus.corpus.documentNames
        ranges = zip(starts, starts.dropFirst()).map { $0..<$1 - 1 }
    }

    /// Number of tokens, separators included.
    var tokenCount: Int { corpus.corpus.tokenCount }

    /// The tokens of a document.
    func tokens(_ document: Int) -> [TokenID] {
        let tokens = corpus.corpus.tokens
        return ranges[document].map { TokenID(bitPattern: tokens[$0]) }
    }
}
