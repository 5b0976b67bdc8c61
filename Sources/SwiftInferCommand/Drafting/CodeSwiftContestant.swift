// CodeSwift as a contestant of `bench drafting`.

import InferCodeSwift
import InferDecoding
import InferTokenizers

/// CodeSwift over a repository's documents and common stores, of which answers can be taken out.
final class CodeSwiftContestant: DocumentDrafter {
    private var drafter: CodeSwiftDrafter
    private let options: CodeSwiftDrafter.Options
    private let profile: DraftProfile?
    private let guesses: GuessTable?
    private let vocabularyCount: Int
    private let documents: StoreSegment?
    /// For each document the positions of its tokens.
    private let extents: [Range<Int>]
    private let stores: [Datastore]
    /// What of the documents is served.
    private var repository: [StoreSegment] = []
    /// What of the stores is served.
    private var common: [StoreSegment] = []

    /// A drafter over `documents`, each as tokens, and `stores`.
    init(
        documents: [[TokenID]], stores: [Datastore], vocabularyCount: Int,
        options: CodeSwiftDrafter.Options = CodeSwiftDrafter.Options(), profile: DraftProfile? = nil,
        guesses: GuessTable? = nil
    ) {
        self.options = options
        self.profile = profile
        self.guesses = guesses
        drafter = Self.drafter(options, profile, guesses)
        self.vocabularyCount = vocabularyCount
        self.stores = stores
        (self.documents, extents) = Self.segment(documents, vocabularyCount)
        repository = [self.documents].compactMap(\.self)
        common = stores.map { StoreSegment($0.index) }
    }

    var name: String { drafter.name }
    var candidatesWanted: Int { drafter.candidatesWanted }
    var isCalibrated: Bool { drafter.isCalibrated }

    func substitute(_ documents: [Int: [[TokenID]]]) {
        guard var rest = self.documents else { return }
        for number in documents.keys where extents.indices.contains(number) { rest.excluded.insert(extents[number]) }
        let pieces = documents.sorted { $0.key < $1.key }.flatMap(\.value)
        repository = [rest, Self.segment(pieces, vocabularyCount).segment].compactMap(\.self)
    }

    /// Serves, until the next call, none of the copies of `answer` that are in the common stores.
    func withhold(_ answer: [TokenID], length: Int) {
        common = stores.map { store in
            var segment = StoreSegment(store.index)
            segment.excludeCopies(of: answer, length: length)
            return segment
        }
    }

    func forget() { drafter = Self.drafter(options, profile, guesses) }

    /// A drafter that knows nothing yet.
    private static func drafter(
        _ options: CodeSwiftDrafter.Options, _ profile: DraftProfile?, _ guesses: GuessTable?
    ) -> CodeSwiftDrafter {
        CodeSwiftDrafter(options: options, profile: profile, observer: guesses.map { table in { table.add($0) } })
    }

    func reset(to tokens: [TokenID]) {
        drafter.reset(to: tokens)
        let repository: [(segment: StoreSegment, kind: SourceKind)] = repository.map { segment in
            var segment = segment
            segment.excludeStretches(of: tokens)
            return (segment: segment, kind: .repository)
        }
        // As a session does, without those that are not in memory yet.
        let ready = zip(stores, common).filter { $0.0.isReady }
        drafter.replaceStores(repository + ready.map { (segment: $0.1, kind: .common) })
    }

    func draft(into tree: inout DraftTree, limit: Int) { drafter.draft(into: &tree, limit: limit) }

    func observe(_ verification: Verification) { drafter.observe(verification) }

    /// `documents` as a segment, nil where there are none, and where in it they are.
    private static func segment(
        _ documents: [[TokenID]], _ vocabularyCount: Int
    ) -> (segment: StoreSegment?, extents: [Range<Int>]) {
        let corpus = Corpus(vocabularyCount: vocabularyCount)
        var extents: [Range<Int>] = []
        for document in documents {
            let start = corpus.tokenCount
            // What does not fit any more is left out.
            try? corpus.append(document, name: [])
            extents.append(start..<max(start, corpus.tokenCount - 1))
        }
        guard corpus.documentCount > 0, let sorted = try? SortedCorpus(corpus) else { return (nil, extents) }
        return (StoreSegment(sorted.index), extents)
    }
}
