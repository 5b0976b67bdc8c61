// Retrieval-based speculative decoding (REST): drafts from a collection of documents.
//
// Rule: Z. He et al., "REST: Retrieval-Based Speculative Decoding" (arXiv 2311.08252), sections 3.2–3.4, with the
// parameters of its public implementation (FasterDecoding/REST). The datastore is searched for the last 16 tokens, then for
// the last 15, and so on down to 2. The first 5,000 occurrences in suffix order give their next 10 tokens each. All prefixes
// of these continuations are counted, and the 64 most frequent ones are the draft, a tree. Drafts end where a document ends.

/// Drafts the continuations that are most frequent in a collection of documents.
public final class RESTDrafter: Drafter, DocumentDrafter {
    /// A short name for reports.
    public let name = "rest"

    private let matchLengths: ClosedRange<Int>
    private let maximumHits: Int
    private let draftLength: Int
    private let maximumNodes: Int
    private let store: SuffixSortedText
    /// For each document the positions of its tokens in `store`.
    private let extents: [Range<Int>]
    /// The parts of `store` that are not served, and the documents that are served instead.
    private var masked: [Range<Int>] = []
    private var substitute = SuffixSortedText([])
    /// The ranges of `store` whose continuations run into a copy of a withheld answer.
    private var withheld: [Range<Int>] = []
    private var recent: [Int32] = []

    /// A drafter that knows `documents`, each as tokens.
    public init(
        documents: [[Int32]], matchLengths: ClosedRange<Int> = 2...16, maximumHits: Int = 5000, draftLength: Int = 10,
        maximumNodes: Int = 64
    ) {
        // Beyond this depth, suffixes are not sorted.
        self.draftLength = max(0, min(draftLength, SuffixSortedText.sortedDepth - 1))
        let longest = max(1, min(matchLengths.upperBound, SuffixSortedText.sortedDepth - self.draftLength))
        self.matchLengths = min(max(1, matchLengths.lowerBound), longest)...longest
        self.maximumHits = maximumHits
        self.maximumNodes = maximumNodes
        store = SuffixSortedText(documents)
        var start = 0
        extents = documents.map { document in
            defer { start += document.count + 1 }
            return start..<start + document.count
        }
    }

    /// Serves other documents in place of some, until the next call.
    package func substitute(_ documents: [Int: [[Int32]]]) {
        masked = documents.keys.filter(extents.indices.contains).map { extents[$0] }
        substitute = SuffixSortedText(documents.sorted { $0.key < $1.key }.flatMap(\.value))
    }

    /// Serves nothing that agrees with `answer` in `length` or more consecutive tokens, until the next call.
    package func withhold(_ answer: [Int32], length: Int) {
        withheld = []
        guard length > 0, answer.count >= length else { return }
        for start in 0...(answer.count - length) {
            for copy in store.occurrences(of: answer[start..<start + length]) {
                // Every place from which a continuation would run into the copy.
                withheld.append(copy - matchLengths.upperBound - draftLength..<copy + length)
            }
        }
    }

    /// Forgets the text. This drafter learns nothing from one text for the next.
    package func forget() { recent = [] }

    /// Replaces the text by `tokens`.
    public func reset(to tokens: [Int32]) { recent = tokens.suffix(matchLengths.upperBound) }

    /// Learns how the text went on.
    public func observe(_ outcome: DraftOutcome) {
        recent = (recent + outcome.tokens).suffix(matchLengths.upperBound)
    }

    /// Proposes continuations of the text.
    public func draft(into tree: inout DraftTree, limit: Int) {
        for length in matchLengths.reversed() where length <= recent.count {
            let pattern = recent.suffix(length)
            let hits = store.continuations(of: pattern, limit: maximumHits) { position in
                masked.contains { $0.contains(position) } || withheld.contains { $0.contains(position) }
            }
            let more = substitute.continuations(of: pattern, limit: maximumHits) { _ in false }
            if hits.isEmpty, more.isEmpty { continue }
            insert(hits, more, matchLength: length, limit: min(limit, maximumNodes), into: &tree)
            return
        }
    }

    /// A common prefix of continuations: where these go on in `store` and in `substitute`, in suffix order.
    private struct Prefix {
        var positions: ArraySlice<Int>
        var substitutePositions: ArraySlice<Int>
        let parent: Int
        let token: Int32
        let length: Int

        var count: Int { positions.count + substitutePositions.count }
    }

    private func insert(
        _ hits: [Int], _ more: [Int], matchLength: Int, limit: Int, into tree: inout DraftTree
    ) {
        let total = Float(hits.count + more.count)
        let tag = UInt16(clamping: matchLength)
        var open = children(
            of: Prefix(
                positions: hits[...], substitutePositions: more[...], parent: DraftTree.root, token: 0, length: 0),
            node: DraftTree.root)
        var room = limit
        while room > 0 {
            // The most frequent prefix, and among equals the one found first. No prefix is more frequent than its own prefixes.
            guard let next = open.indices.max(by: { (open[$0].count, $1) < (open[$1].count, $0) }) else { return }
            let prefix = open.remove(at: next)
            let node = tree.insert(
                prefix.token, after: prefix.parent, value: Float(prefix.count) / total, tag: tag)
            open += children(of: prefix, node: node)
            room -= 1
        }
    }

    private func children(of prefix: Prefix, node: Int) -> [Prefix] {
        guard prefix.length < draftLength else { return [] }
        var children: [Prefix] = []
        var numbers: [Int32: Int] = [:]
        func collect(_ positions: ArraySlice<Int>, of text: SuffixSortedText, isSubstitute: Bool) {
            var rest = positions
            while let first = rest.first {
                let token = text.tokens[first + prefix.length]
                let end = rest.firstIndex { text.tokens[$0 + prefix.length] != token } ?? rest.endIndex
                let run = rest[..<end]
                rest = rest[end...]
                if token == SuffixSortedText.separator { continue }
                let number = numbers[token] ?? children.count
                if number == children.count {
                    numbers[token] = number
                    children.append(
                        Prefix(
                            positions: [], substitutePositions: [], parent: node, token: token,
                            length: prefix.length + 1))
                }
                if isSubstitute { children[number].substitutePositions = run } else { children[number].positions = run }
            }
        }
        collect(prefix.positions, of: store, isSubstitute: false)
        collect(prefix.substitutePositions, of: substitute, isSubstitute: true)
        return children
    }
}

/// A drafter over a collection of documents, as a benchmark needs it: answers can be removed from the documents, and the drafter
/// can start over without building its indexes anew.
package protocol DocumentDrafter: Drafter {
    /// Serves other documents in place of some, until the next call. The keys are the numbers of documents.
    func substitute(_ documents: [Int: [[Int32]]])

    /// Serves nothing that agrees with `answer` in `length` or more consecutive tokens, until the next call.
    func withhold(_ answer: [Int32], length: Int)

    /// Forgets what earlier texts taught. The documents stay.
    func forget()
}
