// CodeSwift as a contestant, with the answers withheld from its sources, and the parts it can go without.

package import InferCodeSwift
import InferDecoding
import InferTokenizers

/// CodeSwift over a repository's documents and common stores. Answers can be withheld from both.
final class CodeSwiftContestant: DocumentDrafter {
    private var drafter: CodeSwiftDrafter
    private let options: CodeSwiftDrafter.Options
    private let profile: DraftProfile?
    private let predictions: PredictionTable?
    private let vocabularyCount: Int
    private let documents: StoreSegment?
    /// For each document the positions of its tokens.
    private let extents: [Range<Int>]
    private let stores: [Datastore]
    /// The parts of the documents that are not withheld.
    private var repository: [StoreSegment] = []
    /// The stores without the answers that are withheld.
    private var common: [StoreSegment] = []

    /// A drafter over `documents`, each as tokens, and `stores`.
    init(
        documents: [[TokenID]], stores: [Datastore], vocabularyCount: Int,
        options: CodeSwiftDrafter.Options = CodeSwiftDrafter.Options(), profile: DraftProfile? = nil,
        predictions: PredictionTable? = nil
    ) {
        self.options = options
        self.profile = profile
        self.predictions = predictions
        drafter = Self.drafter(options, profile, predictions)
        self.vocabularyCount = vocabularyCount
        self.stores = stores
        (self.documents, extents) = Self.segment(documents, vocabularyCount)
        repository = [self.documents].compactMap(\.self)
        common = stores.map { StoreSegment($0.index) }
    }

    var name: String { drafter.name }
    var topTokensWanted: Int { drafter.topTokensWanted }
    var isCalibrated: Bool { drafter.isCalibrated }

    func substitute(_ documents: [Int: [[TokenID]]]) {
        guard var rest = self.documents else { return }
        for number in documents.keys where extents.indices.contains(number) { rest.excluded.insert(extents[number]) }
        let pieces = documents.sorted { $0.key < $1.key }.flatMap(\.value)
        repository = [rest, Self.segment(pieces, vocabularyCount).segment].compactMap(\.self)
    }

    /// Withholds every copy of `answer` in the common stores until the next call.
    func withhold(_ answer: [TokenID], length: Int) {
        common = stores.map { store in
            var segment = StoreSegment(store.index)
            segment.excludeCopies(of: answer, length: length)
            return segment
        }
    }

    func forget() { drafter = Self.drafter(options, profile, predictions) }

    /// A drafter that has not learned anything yet.
    private static func drafter(
        _ options: CodeSwiftDrafter.Options, _ profile: DraftProfile?, _ predictions: PredictionTable?
    ) -> CodeSwiftDrafter {
        CodeSwiftDrafter(options: options, profile: profile, observer: predictions.map { table in { table.add($0) } })
    }

    func reset(to tokens: [TokenID]) {
        drafter.reset(to: tokens)
        let repository: [(segment: StoreSegment, kind: SourceKind)] = repository.map { segment in
            var segment = segment
            segment.excludeStretches(of: tokens)
            return (segment: segment, kind: .repository)
        }
        // Like a session, leave out stores that are not in memory yet.
        let ready = zip(stores, common).filter { $0.0.isReady }
        drafter.replaceStores(repository + ready.map { (segment: $0.1, kind: .common) })
    }

    func draft(into tree: inout DraftTree, limit: Int) { drafter.draft(into: &tree, limit: limit) }

    func observe(_ outcome: DraftOutcome) { drafter.observe(outcome) }

    /// Indexes `documents`.
    ///
    /// - Returns: A segment, nil if there are no documents, and the positions of each document's tokens in it.
    private static func segment(
        _ documents: [[TokenID]], _ vocabularyCount: Int
    ) -> (segment: StoreSegment?, extents: [Range<Int>]) {
        let corpus = Corpus(vocabularyCount: vocabularyCount)
        var extents: [Range<Int>] = []
        for document in documents {
            let start = corpus.tokenCount
            // Documents that no longer fit are left out.
            try? corpus.append(document, name: [])
            extents.append(start..<max(start, corpus.tokenCount - 1))
        }
        guard corpus.documentCount > 0, let sorted = try? SortedCorpus(corpus) else { return (nil, extents) }
        return (StoreSegment(sorted.index), extents)
    }
}

/// Parts of the CodeSwift drafter that a benchmark leaves out, to measure what they are worth.
package struct Ablation: Sendable {
    /// A part of the drafter. Without `timing`, every drafter drafts before every step.
    package enum Part: String, CaseIterable, Sendable {
        case context, cursor, history, preferences, repository, stores, calibration, timing
    }

    package let parts: Set<Part>

    /// Leaves out `parts`.
    package init(_ parts: Set<Part>) { self.parts = parts }

    /// Whether drafters draft only when that is expected to pay.
    package var keepsTiming: Bool { !parts.contains(.timing) }

    /// The drafter's options without these parts.
    package var options: CodeSwiftDrafter.Options {
        var options = CodeSwiftDrafter.Options()
        options.usesContext = !parts.contains(.context)
        options.usesCursor = !parts.contains(.cursor)
        options.usesHistory = !parts.contains(.history)
        options.usesPreferences = !parts.contains(.preferences)
        options.usesRepository = !parts.contains(.repository)
        options.usesCommonStores = !parts.contains(.stores)
        options.calibrates = !parts.contains(.calibration)
        return options
    }
}
